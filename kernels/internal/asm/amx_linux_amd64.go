//go:build !noasm

package asm

import (
	"fmt"
	"sync"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"
)

// hasAMX reports whether the processor has tiles for bfloat16 and int8, and whether the
// system saves their registers: bits 17 and 18 of XCR0 (Intel 64 and IA-32 Architectures
// Software Developer's Manual, volume 1, section 18.2).
func hasAMX() bool {
	if emulated {
		return true
	}
	x := &cpu.X86
	if !x.HasAMXTile || !x.HasAMXBF16 || !x.HasAMXInt8 {
		return false
	}
	const tileState = 1<<17 | 1<<18
	var xcr0 uint64
	xcr0AMX(&xcr0)
	return xcr0&tileState == tileState
}

// The request and the feature number for arch_prctl(2).
const (
	archReqXCompPerm = 0x1023
	xfeatureTileData = 18
)

// permitAMX asks Linux for permission to use the tiles' 8 KB of registers, once for the
// whole process; threads that exist already are included. Without permission the first tile
// instruction kills the process, so it is not possible just to try one. Linux may refuse
// for reasons other than the processor: signal stacks (of a cgo host) that are too small
// for the registers, a sandbox, an old kernel.
var permitAMX = sync.OnceValue(func() error {
	_, _, errno := unix.RawSyscall(unix.SYS_ARCH_PRCTL, archReqXCompPerm, xfeatureTileData, 0)
	if errno != 0 {
		return fmt.Errorf("the system does not permit the use of AMX: %w", errno)
	}
	return nil
})
