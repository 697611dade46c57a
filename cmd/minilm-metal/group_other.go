//go:build !unix

package main

import "os/exec"

// grouped leaves it at killing the process when its context is over: there are no interrupts
// here.
func grouped(c *exec.Cmd) { c.WaitDelay = lastWord }

func killGroup(*exec.Cmd) {}
