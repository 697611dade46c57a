//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// closedBefore reports whether the file was closed when the process began. Before any of
// our code runs, Go replaces closed standard files by the null device, opened for reading
// and writing. This is the only sign of it; a shell opens the null device for one of them
// only.
func closedBefore(f *os.File) bool {
	here, err := f.Stat()
	if err != nil {
		return true
	}
	null, err := os.Stat(os.DevNull)
	if err != nil || !os.SameFile(here, null) {
		return false
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR
}
