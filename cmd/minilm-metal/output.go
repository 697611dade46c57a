package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// output is standard output, or a file that something else writes. What cannot be written
// there is an error of the command, also where the writer, such as cobra for its help,
// does not look.
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

// noOutput takes the place of a standard output that was closed before the program began.
// Commands whose result is elsewhere, in files or in the exit code, need none.
type noOutput struct{}

func (noOutput) Write(b []byte) (int, error) { return len(b), nil }

var errNoOutput = errors.New("standard output is closed, and the results would be lost (or it is the null device, opened for reading too, which looks the same: > " + os.DevNull + " is fine)")

// onlyOutput marks the commands whose results go to standard output and nowhere else, and
// take time to make. The others run on: Python's subprocess.DEVNULL looks like a closed
// output, and whoever asks with it whether the program is there wants no error.
const onlyOutput = "standard output"

// checkOutput says, before a command begins, that its results would be lost.
func (p *program) checkOutput(c *cobra.Command) error {
	out, ok := p.stdout.(*output)
	if _, only := c.Annotations[onlyOutput]; only && ok && out.w == (noOutput{}) {
		return errNoOutput
	}
	return nil
}

// noInput takes the place of a standard input that was closed before the program began:
// nothing to read there is no empty input.
type noInput struct{}

var errNoInput = errors.New("standard input is closed (or it is the null device, opened for writing too, which looks the same: < " + os.DevNull + " is fine)")

func (noInput) Read([]byte) (int, error) { return 0, errNoInput }
