package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// output is standard output, or another file. If writing to it fails, the command fails,
// even if the writer (such as cobra printing its help) ignores the error.
type output struct {
	w    io.Writer
	name string // what it is, for the error
	err  error  // the first
}

func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(b)
	if err != nil {
		o.err = fmt.Errorf("%s: %w", o.name, err)
	}
	return n, o.err
}

// noOutput replaces a standard output that was closed before the program began. Commands
// whose result is elsewhere, in files or in the exit code, do not need one.
type noOutput struct{}

func (noOutput) Write(b []byte) (int, error) { return len(b), nil }

var errNoOutput = errors.New("standard output is closed, and the results would be lost (or it is the null device, opened for reading too, which looks the same: > " + os.DevNull + " is fine)")

// onlyOutput marks the commands whose results go only to standard output and take time to
// compute: without an output they refuse to run. The others run, since Python's
// subprocess.DEVNULL looks like a closed output, and a program that only tests whether we
// are installed wants no error.
const onlyOutput = "standard output"

// checkOutput returns an error, before a command begins, if its results would be lost.
func (p *program) checkOutput(c *cobra.Command) error {
	if f := c.Flags().Lookup("out"); f != nil && f.Changed {
		return nil
	}
	out, ok := p.stdout.(*output)
	if _, only := c.Annotations[onlyOutput]; only && ok && out.w == (noOutput{}) {
		return errNoOutput
	}
	return nil
}

// noInput replaces a standard input that was closed before the program began: reading it is
// an error, not an empty input.
type noInput struct{}

var errNoInput = errors.New("standard input is closed (or it is the null device, opened for writing too, which looks the same: < " + os.DevNull + " is fine)")

func (noInput) Read([]byte) (int, error) { return 0, errNoInput }
