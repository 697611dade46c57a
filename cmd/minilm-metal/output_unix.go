//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// closedBefore says whether the file was closed when the process began. Go puts the null
// device, opened for reading and writing, in the place of closed standard files before any
// of our code runs, so that is all there is to see; a shell opens it for one of them.
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
