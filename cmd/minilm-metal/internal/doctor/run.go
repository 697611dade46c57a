package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Part is one thing to look at.
type Part struct {
	Name  string        // of its file, too, which is Name.txt
	What  string        // it is in that file, in a line
	Limit time.Duration // after which it is ended
}

// Status is how a part ended.
type Status string

const (
	Good   Status = "good"
	Failed Status = "FAILED"
	// Absent is of what this machine does not have, which is no failure.
	Absent Status = "not here"
	// Interrupted is of a part that the user did not wait for.
	Interrupted Status = "not done"
)

// Result is what became of a part.
type Result struct {
	Part
	Status Status
	Why    string // in a line, if it is not good
	Took   time.Duration
	Output []byte // what it wrote
	Errors []byte // what it wrote to standard error
	Files  []File // what it left in its folder, by name
}

// File is a file of a part.
type File struct {
	Name string
	Data []byte
}

// Process runs a part in a process of its own, with a folder for files, until ctx is done.
// The error is that of exec.Cmd.Run.
type Process func(ctx context.Context, part Part, dir string, stdout, stderr io.Writer) error

// absentFile is where a part says in its folder why there is nothing to look at.
const absentFile = ".absent"

// SayAbsent is for a part that finds nothing to look at on this machine: it says why, in
// the part's folder. The part then ends as if all were well.
func SayAbsent(dir, why string) error {
	return os.WriteFile(filepath.Join(dir, absentFile), []byte(why), 0o666)
}

// Run runs the parts, one after the other, and tells ended of each. It returns a result for
// every part, also where ctx is done before.
func Run(ctx context.Context, parts []Part, process Process, ended func(Result)) []Result {
	all := make([]Result, 0, len(parts))
	for _, part := range parts {
		r := Result{Part: part, Status: Interrupted, Why: "interrupted before it began"}
		if ctx.Err() == nil {
			r = run(ctx, part, process)
		}
		all = append(all, r)
		ended(r)
	}
	return all
}

func run(ctx context.Context, part Part, process Process) (r Result) {
	r = Result{Part: part, Status: Failed}
	dir, err := os.MkdirTemp("", "minilm-metal-doctor-*")
	if err != nil {
		r.Why = err.Error()
		return r
	}
	defer os.RemoveAll(dir)
	limited, cancel := context.WithTimeout(ctx, part.Limit)
	defer cancel()
	var stdout, stderr ends
	begun := time.Now()
	err = process(limited, part, dir, &stdout, &stderr)
	r.Took, r.Output, r.Errors = time.Since(begun), stdout.bytes(), stderr.bytes()
	why, absent := os.ReadFile(filepath.Join(dir, absentFile))
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil && absent == nil:
		r.Status, r.Why = Absent, line(string(why))
	case err == nil:
		r.Status = Good
	case ctx.Err() == nil && limited.Err() != nil:
		r.Why = fmt.Sprintf("no end after %v: it was ended; what it had until then is here", part.Limit)
	case ctx.Err() != nil || exited && exit.ExitCode() == interruptedCode:
		r.Status, r.Why = Interrupted, "interrupted; what it had until then is here"
	default:
		r.Why = reason(stderr.bytes(), err)
	}
	if r.Files, err = files(dir); err != nil && r.Status != Failed {
		r.Status, r.Why = Failed, err.Error()
	}
	return r
}

// interruptedCode is the exit code of a process that the user interrupted, as he did this
// one: a terminal tells both.
const interruptedCode = 130

// reason is a line on why a process failed: what Go's runtime says first when it gives up,
// else the first line of the last thing that the program said, or else the last line; and how
// the process ended if that was not its own doing.
func reason(stderr []byte, err error) string {
	const ours = "minilm-metal: "
	last := ""
	for text := range strings.Lines(string(stderr)) {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ") || strings.HasPrefix(text, "SIG") {
			return line(text)
		}
		if !strings.HasPrefix(last, ours) || strings.HasPrefix(text, ours) {
			last = text
		}
	}
	exit, exited := errors.AsType[*exec.ExitError](err)
	if last == "" || !exited || exit.ExitCode() < 0 {
		last = strings.TrimPrefix(fmt.Sprintf("%v; %s", err, last), "; ")
	}
	return line(strings.TrimPrefix(last, ours))
}

// line makes a text one line of bearable length.
func line(text string) string {
	const most = 300
	text = strings.TrimSuffix(strings.Join(strings.Fields(text), " "), ";")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

// mostFile is far above what a part's files have. A larger one is left out, by name.
const mostFile = 4 << 20

func files(dir string) (all []File, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		info, err := e.Info()
		switch {
		case err != nil:
			return all, err
		case !info.Mode().IsRegular() || e.Name() == absentFile:
		case info.Size() > mostFile:
			all = append(all, File{e.Name() + ".left-out", fmt.Appendf(nil, "%d bytes, at most %d are kept\n", info.Size(), mostFile)})
		default:
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return all, err
			}
			all = append(all, File{e.Name(), data})
		}
	}
	return all, nil
}

// ends keeps the beginning and the end of what is written to it, mostEnd bytes each.
type ends struct {
	first, last []byte
	left        int // bytes between them that are left out
}

const mostEnd = 128 << 10

func (e *ends) Write(b []byte) (int, error) {
	n := min(len(b), mostEnd-len(e.first))
	e.first = append(e.first, b[:n]...)
	e.last = append(e.last, b[n:]...)
	if over := len(e.last) - mostEnd; over > 0 {
		e.last = slices.Delete(e.last, 0, over)
		e.left += over
	}
	return len(b), nil
}

func (e *ends) bytes() []byte {
	if e.left == 0 {
		return slices.Concat(e.first, e.last)
	}
	return slices.Concat(e.first, fmt.Appendf(nil, "\n... %d bytes are left out here ...\n", e.left), e.last)
}
