//go:build !unix

package peers

import "os/exec"

// apart and kill are about groups of processes, which there are none of here.
func apart(*exec.Cmd) {}

func kill(c *exec.Cmd) error { return c.Process.Kill() }
