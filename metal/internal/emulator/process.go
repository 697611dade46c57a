package emulator

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// process is the child that runs the kernels. main.cpp says what it is told and
// what it answers.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr bytes.Buffer
	lost   error // why it is gone
}

// need is what a kernel asks of the buffer at an index.
type need struct{ index, align, bytes int }

// start starts the child and returns what each kernel needs.
func start(path string, arguments ...string) (*process, [][]need, error) {
	p := &process{cmd: exec.Command(path, arguments...)}
	p.cmd.Stderr = &p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	p.stdin, p.stdout = in, bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, nil, err
	}
	var needs [][]need
	for {
		line, err := p.answer()
		if err != nil {
			return nil, nil, err
		}
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "kernel" {
			if line != "ready" {
				p.kill()
				return nil, nil, fmt.Errorf("emulator: the child says %q", line)
			}
			return p, needs, nil
		}
		var of []need
		for words = words[1:]; len(words) >= 3; words = words[3:] {
			var n need
			if _, err := fmt.Sscan(strings.Join(words[:3], " "), &n.index, &n.align, &n.bytes); err != nil {
				p.kill()
				return nil, nil, fmt.Errorf("emulator: the child says %q: %w", line, err)
			}
			of = append(of, n)
		}
		needs = append(needs, of)
	}
}

// ask sends commands and returns the answer to the last.
func (p *process) ask(commands string) (string, error) {
	if p.lost != nil {
		return "", p.lost
	}
	if _, err := io.WriteString(p.stdin, commands); err != nil && p.stdout.Buffered() == 0 {
		// It died of an earlier command, or was killed; answer says why.
		return p.answer()
	}
	return p.answer()
}

// answer reads a line. A child that does not answer is gone.
func (p *process) answer() (string, error) {
	line, err := p.stdout.ReadString('\n')
	if err == nil {
		return strings.TrimSuffix(line, "\n"), nil
	}
	return "", p.end(err)
}

// end waits for a child that will not go on, and returns why.
func (p *process) end(reason error) error {
	p.kill()
	p.lost = fmt.Errorf("%w: the emulator's process has ended: %w", gpu.ErrLost, reason)
	if said := strings.TrimSpace(p.stderr.String()); said != "" {
		p.lost = fmt.Errorf("%w: %s", p.lost, said)
	}
	return p.lost
}

func (p *process) kill() {
	p.stdin.Close()
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// close ends the child, which does so when its stdin does.
func (p *process) close() error {
	if p.lost != nil {
		return nil
	}
	p.lost = fmt.Errorf("%w: closed", gpu.ErrLost)
	p.stdin.Close()
	err := p.cmd.Wait()
	if said := strings.TrimSpace(p.stderr.String()); said != "" {
		err = errors.Join(err, errors.New("emulator: "+said))
	}
	return err
}
