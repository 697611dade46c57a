package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"runtime"
)

// open shows a file with the program that the desktop has for it. Where there is no desktop
// it says so, which is no failure: the file is there.
func (p *program) open(path string) {
	if err := p.show(path); err != nil {
		p.warn("--open: %v; the page is %s", err, path)
	}
}

var errNoDesktop = errors.New("there is no desktop to show it on")

func (p *program) show(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	opener, ok := opener(runtime.GOOS, p.getenv)
	if !ok {
		return errNoDesktop
	}
	c := exec.Command(opener[0], append(opener[1:], path)...)
	if err := c.Start(); err != nil {
		return err
	}
	return c.Process.Release() // it is the user's now
}

// opener is the command of a system that shows a file, without the file; false: there is
// nowhere to show one.
func opener(system string, getenv func(string) string) ([]string, bool) {
	switch system {
	case "darwin":
		return []string{"open"}, true
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}, true
	}
	if getenv("DISPLAY") == "" && getenv("WAYLAND_DISPLAY") == "" {
		return nil, false
	}
	return []string{"xdg-open"}, true
}
