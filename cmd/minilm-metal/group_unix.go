//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// grouped makes a process, and whatever it starts, end together: they are interrupted when
// its context is over, so that each can have a last word. Somebody who interrupts this
// program alone, as kill does and a terminal does not, would else leave a script's children
// running, to disturb whatever is measured next.
func grouped(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error {
		err := syscall.Kill(-c.Process.Pid, syscall.SIGINT)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
	c.WaitDelay = lastWord
}

// killGroup ends what is left of a process that grouped has made, which is over itself.
func killGroup(c *exec.Cmd) {
	if c.Process != nil {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // there may be nobody
	}
}
