//go:build !noasm

package asm

import "golang.org/x/sys/unix"

// hasBF16 reports whether the processor has FEAT_BF16, which golang.org/x/sys/cpu does not
// detect. Apple's M2 and later have it. A macOS that does not know the name (before 13)
// returns an error.
func hasBF16() bool {
	value, err := unix.SysctlUint32("hw.optional.arm.FEAT_BF16")
	return err == nil && value != 0
}
