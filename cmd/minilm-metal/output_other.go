//go:build !unix

package main

import "os"

// closedBefore reports whether the file was closed when the process began.
func closedBefore(f *os.File) bool {
	_, err := f.Stat()
	return err != nil
}
