//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// command is the program as a process, below a shell that runs script with it as "$@".
func command(t *testing.T, stdin, script string, args ...string) *exec.Cmd {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, "sh", self}, args...)...)
	c.Env = append(os.Environ(), beCommand+"=1", "HF_HOME="+t.TempDir(), "XDG_CACHE_HOME="+t.TempDir())
	c.Stdin = strings.NewReader(stdin)
	return c
}

// Results that nobody can get are an error, whichever command has them and however it
// writes them.
func TestOutputThatIsLost(t *testing.T) {
	dir, pair := tiny(t), pairLine(t, "a", "b")
	report := t.TempDir()
	benchTiny(t, report)
	commands := [][]string{
		{"score", "--model", dir, "--precision", "f32"}, {"rank", "q", "--model", dir, "--precision", "f32"}, {"tokenize", "--model", dir},
		{"info", "--model", dir}, {"kernels", "--list"}, {"compare", report, report}, {"compare", "--json", report, report}, {"version"},
		{"--version"}, {"--help"}, {"score", "--help"}, {"completion", "bash"},
	}
	for _, args := range commands {
		var stderr bytes.Buffer
		if _, err := os.Stat("/dev/full"); err == nil {
			c := command(t, pair, `exec "$@" >/dev/full`, args...)
			c.Stderr = &stderr
			if err := c.Run(); c.ProcessState.ExitCode() != failed || !strings.Contains(stderr.String(), "standard output: ") {
				t.Errorf("%q to a full disk: %v, %s", args, err, stderr.String())
			}
		}
		want, text := good, ""
		switch args[0] {
		case "score", "rank", "tokenize":
			if args[1] != "--help" {
				want, text = failed, "standard output is closed"
			}
		}
		stderr.Reset()
		c := command(t, pair, `exec "$@" >&-`, args...)
		c.Stderr = &stderr
		if err := c.Run(); c.ProcessState.ExitCode() != want || !strings.Contains(stderr.String(), text) {
			t.Errorf("%q to a closed file: %v, %s", args, err, stderr.String())
		}
	}
	// The null device is what somebody asked for; and what has its results elsewhere needs
	// no output.
	for script, args := range map[string][]string{
		`exec "$@" >/dev/null`: {"score", "--model", dir},
		`exec "$@" >&-`:        {"synth", "--layers", "1", "--hidden", "8", "--heads", "1", "--intermediate", "8", "--out", t.TempDir() + "/new"},
	} {
		if out, err := command(t, pair, script, args...).CombinedOutput(); err != nil {
			t.Errorf("%s, %q: %v, %s", script, args, err, out)
		}
	}
}

// An input that is closed is not an empty one.
func TestClosedInput(t *testing.T) {
	dir := tiny(t)
	for script, want := range map[string]int{`exec "$@" <&-`: failed, `exec "$@" </dev/null`: good} {
		for _, args := range [][]string{{"score", "--precision", "f32"}, {"rank", "q", "--precision", "f32"}, {"tokenize"}} {
			c := command(t, "", script, append(args, "--model", dir)...)
			out, err := c.CombinedOutput()
			if c.ProcessState.ExitCode() != want || want == failed && !strings.Contains(string(out), "standard input is closed") {
				t.Errorf("%s, %q: %v, %s", script, args, err, out)
			}
		}
	}
}

// Go's profilers do not say that a disk is full.
func TestProfilesToFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	for _, flag := range []string{"--profile", "--cpuprofile", "--memprofile", "--trace"} {
		o := call(t, "", "bench", "--model", tiny(t), "--device", "cpu", "--pairs", "4", "--batch", "2", "--time-bound", "20s", "--out", filepath.Join(t.TempDir(), "out"), flag, "/dev/full")
		o.want(t, failed, "/dev/full: ", "no space left")
	}
}

// A reader that has enough ends the program without a word, as it does any other.
func TestBrokenPipe(t *testing.T) {
	line := `{"query":"a","documents":["` + strings.Repeat(`b","`, 5000) + `b"]}` + "\n"
	c := command(t, strings.Repeat(line, 20), `{ "$@"; echo "code $?" >&2; } | head -c 10`, "tokenize", "--model", tiny(t))
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if want := fmt.Sprintf("code %d\n", 128+int(syscall.SIGPIPE)); err != nil || len(out) != 10 || stderr.String() != want {
		t.Errorf("%q, %v, stderr %q, want %q", out, err, stderr.String(), want)
	}
}

// The first signal ends the program as soon as it can, and says so; the second at once.
func TestSignals(t *testing.T) {
	// Whoever runs this in the background of a script has it ignore interrupts, and so its
	// children. What is caught here is not ignored there.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGINT)
	defer signal.Stop(caught)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		c := command(t, "", `exec "$@"`, "score", "--model", tiny(t), "--precision", "f32")
		c.Stdin = nil
		in, out, stderr := pipes(t, c)
		if _, err := io.WriteString(in, pairLine(t, "a", "b")); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil { // it runs
			t.Fatal(err, stderr)
		}
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		if code := c.ProcessState.ExitCode(); code != interrupted || stderr.String() != "minilm-metal: interrupted; lines answered until then: 1\n" {
			t.Errorf("%v: code %d, stderr %q", signal, code, stderr)
		}
	}

	// One that is stuck, since nobody reads what it writes.
	c := command(t, "", `exec "$@"`, "tokenize", "--model", tiny(t))
	c.Stdin = nil
	in, out, stderr := pipes(t, c)
	if _, err := io.WriteString(in, `{"query":"a","documents":["`+strings.Repeat(`b","`, 50_000)+`b"]}`+"\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err, stderr)
	}
	ended := make(chan struct{})
	go func() { c.Wait(); close(ended) }()
	for open := true; open; {
		c.Process.Signal(syscall.SIGINT)
		select {
		case <-ended:
			open = false
		case <-time.After(20 * time.Millisecond): // nobody says when the first has been heard
		}
	}
	if status := c.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("%v, stderr %q, want it killed", c.ProcessState, stderr)
	}
}

// pipes starts c with pipes of ours, which its end leaves open.
func pipes(t *testing.T, c *exec.Cmd) (in io.Writer, out io.Reader, stderr *bytes.Buffer) {
	t.Helper()
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	stderr = new(bytes.Buffer)
	c.Stdout, c.Stderr = w, stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return stdin, r, stderr
}
