package main

import (
	"os"
	"strings"
	"testing"
)

// Who starts a command that reads, and gives it nothing to read, is told that it waits.
func TestReadingFromTheTerminal(t *testing.T) {
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer pty.Close()
	var stderr strings.Builder
	p := &program{stdin: pty, stderr: &stderr}
	if _, err := p.openInput("-"); err != nil || !strings.Contains(stderr.String(), "reading from the terminal, a line at a time; end with Ctrl-D") {
		t.Errorf("%v, %q", err, stderr.String())
	}
	stderr.Reset()
	p.stdin = strings.NewReader("")
	if _, err := p.openInput("-"); err != nil || stderr.Len() > 0 {
		t.Errorf("%v, %q", err, stderr.String())
	}
}
