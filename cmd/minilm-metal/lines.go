package main

import (
	"fmt"
	"io"
	"os"
)

// openInput opens the file of --input.
func (p *program) openInput(name string) (io.ReadCloser, error) {
	if name == "-" {
		if p.stdin == (noInput{}) {
			return nil, errNoInput
		}
		if f, ok := p.stdin.(*os.File); ok && terminal(f) != nil {
			p.warn("reading from the terminal, a line at a time; end with %s", endOfInput)
		}
		return io.NopCloser(p.stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	// Reading a folder fails, too, but only after the model is loaded.
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s: is a folder, want a file", name)
	}
	return f, nil
}
