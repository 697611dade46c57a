//go:build linux || darwin || freebsd || netbsd || openbsd

package safetensors

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// release returns the pages that are completely inside data, a part of a mapping, to the
// system. A failure does no harm: it only costs memory.
func release(data []byte) {
	page := os.Getpagesize()
	start := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	first := int(-start & uintptr(page-1)) // bytes before the first whole page
	if first >= len(data) {
		return
	}
	data = data[first:]
	if whole := len(data) &^ (page - 1); whole > 0 {
		_ = unix.Madvise(data[:whole], unix.MADV_DONTNEED)
	}
}
