package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/ab"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

const (
	// runsFolder has a folder for what each run of a trial wrote.
	runsFolder = "runs"
	// lastWord is how long a run may take to end after an interrupt.
	lastWord = 10 * time.Second
)

// runner runs a side as a process of bench, and reads its report.json: what any version of
// this program writes, and so any commit's.
func (p *program) runner(t *ab.Trial, programs [2]string, out string) ab.Runner {
	return func(ctx context.Context, side string, round int) (*report.Report, error) {
		path, own := programs[0], t.A.Flags
		if side == ab.B {
			path, own = programs[1], t.B.Flags
		}
		dir := filepath.Join(out, runsFolder, fmt.Sprintf("%03d-%s", round+1, side))
		args := append([]string{"bench"}, t.Shared...)
		args = append(append(args, own...), "--out", dir)
		c := exec.CommandContext(ctx, path, args...)
		// The run ends by itself when it is interrupted, and leaves a report of half a run,
		// which nobody reads.
		grouped(c)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		err := c.Run()
		killGroup(c) // what it has started may still run, and be in the time of the next
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r, unread := readReport(dir)
		switch {
		case unread == nil && r.Withheld != "": // bench calls that a failure, and it is a finding
			return r, nil
		case err != nil:
			return nil, fmt.Errorf("%w: %s", err, tail(stderr.String()))
		case errors.Is(unread, fs.ErrNotExist): // a program that ended well, and is not this one
			return nil, fmt.Errorf("%s bench: wrote no report into %s, the folder of its --out; its last words: %q", path, dir, tail(stderr.String()))
		case unread != nil:
			return nil, errors.Join(unread, errors.New(tail(stderr.String())))
		}
		return r, nil
	}
}
