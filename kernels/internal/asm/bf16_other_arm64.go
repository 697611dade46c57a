//go:build !noasm && !linux && !darwin

package asm

// hasBF16 is false on systems that we do not know how to ask for FEAT_BF16.
func hasBF16() bool { return false }
