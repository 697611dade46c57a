//go:build unix

package peers

import (
	"os/exec"
	"syscall"
)

// apart gives a process a group of its own, so that an interrupt at the terminal is for us
// alone, and what the process starts can be ended with it.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// kill ends a process and all of its group.
func kill(c *exec.Cmd) error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
