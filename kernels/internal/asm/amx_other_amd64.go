//go:build !noasm && !linux

package asm

// hasAMX is false on systems that we do not know how to ask for the tiles' registers.
func hasAMX() bool { return false }

func permitAMX() error { return nil }
