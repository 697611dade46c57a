//go:build !noasm

package asm

import "golang.org/x/sys/unix"

// hasBF16 reports whether the processor has FEAT_BF16, which golang.org/x/sys/cpu does not
// detect. Linux says so in the program's auxiliary vector (getauxval(3); the bit is
// HWCAP2_BF16 of asm/hwcap.h).
func hasBF16() bool {
	const hwcap2, bf16 = 26, 1 << 14
	vector, err := unix.Auxv()
	if err != nil {
		return false
	}
	for _, entry := range vector {
		if entry[0] == hwcap2 {
			return entry[1]&bf16 != 0
		}
	}
	return false
}
