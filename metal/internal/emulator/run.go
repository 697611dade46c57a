package emulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// Run runs the dispatches. A kernel that is ended takes the driver with it: the
// error wraps gpu.ErrFault, and those of later calls wrap gpu.ErrLost.
func (e *Emulator) Run(work []gpu.Dispatch) (gpu.Times, error) {
	return e.RunApart(work, nil)
}

// RunApart is Run; each[i] becomes the time of work[i].
func (e *Emulator) RunApart(work []gpu.Dispatch, each []time.Duration) (gpu.Times, error) {
	if each != nil && len(each) < len(work) {
		return gpu.Times{}, fmt.Errorf("emulator: room for the times of %d dispatches, where there are %d", len(each), len(work))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var commands strings.Builder
	for _, d := range work {
		if err := e.check(d); err != nil {
			return gpu.Times{}, err
		}
		command(&commands, d)
	}
	commands.WriteString("run\n")
	answer, err := e.child.ask(commands.String())
	if err != nil {
		return gpu.Times{}, err
	}
	words := strings.Fields(answer)
	if len(words) > 2 && words[0] == "die" {
		return gpu.Times{}, e.died(work, answer)
	}
	if len(words) != len(work)+2 || words[0] != "ok" {
		return gpu.Times{}, e.child.end(fmt.Errorf("it says %q", answer))
	}
	for i, word := range words[1:] {
		ns, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return gpu.Times{}, e.child.end(fmt.Errorf("it says %q", answer))
		}
		if i > 0 && each != nil {
			each[i-1] = time.Duration(ns)
		}
	}
	busy, _ := strconv.ParseInt(words[1], 10, 64)
	return gpu.Times{Busy: time.Duration(busy)}, nil
}

// command writes what makes the child run a dispatch that was checked.
func command(w *strings.Builder, d gpu.Dispatch) {
	p := d.Pipeline.(*pipeline)
	fmt.Fprintf(w, "dispatch %d %d %d %d %d", p.kernel, p.threads, d.Groups[0], d.Groups[1], len(p.values))
	for _, v := range p.values {
		fmt.Fprintf(w, " %d", v)
	}
	fmt.Fprintf(w, " %d", len(d.Bindings))
	for _, binding := range d.Bindings {
		if b, ok := binding.Buffer.(*buffer); ok {
			fmt.Fprintf(w, " %d %d", b.id, binding.Offset)
		} else {
			w.WriteString(" 4294967295 0")
		}
	}
	w.WriteByte('\n')
}

// died returns the error of the dispatch that ended the child: die N REASON.
func (e *Emulator) died(work []gpu.Dispatch, answer string) error {
	number, reason, _ := strings.Cut(strings.TrimPrefix(answer, "die "), " ")
	err := fmt.Errorf("emulator: %s", reason)
	if n, bad := strconv.Atoi(number); bad == nil && n < len(work) {
		err = fmt.Errorf("emulator: dispatch %q, kernel %s, %s", work[n].Name, work[n].Pipeline.(*pipeline).name, reason)
	}
	e.child.end(err)
	return fmt.Errorf("%w: %w", gpu.ErrFault, err)
}
