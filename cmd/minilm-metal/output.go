package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// output is standard output. What cannot be written there is an error of the command, also
// where the command, or cobra for its help, does not look.
type output struct {
	w   io.Writer
	err error // the first
}

func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(b)
	if err != nil {
		o.err = fmt.Errorf("standard output: %w", err)
	}
	return n, o.err
}

// noOutput takes the place of a standard output that was closed before the program began.
// Commands whose result is elsewhere, in files or in the exit code, need none.
type noOutput struct{}

func (noOutput) Write(b []byte) (int, error) { return len(b), nil }

var errNoOutput = errors.New("standard output is closed, and the results would be lost (or it is the null device, opened for reading too, which looks the same: > " + nullDevice + " is fine)")

// onlyOutput marks the commands whose results go to standard output and nowhere else.
const onlyOutput = "standard output"

// checkOutput says, before a command begins, that its results would be lost.
func (p *program) checkOutput(c *cobra.Command) error {
	out, ok := p.stdout.(*output)
	if _, only := c.Annotations[onlyOutput]; only && ok && out.w == (noOutput{}) {
		return errNoOutput
	}
	return nil
}
