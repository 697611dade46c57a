//go:build unix

package pull

import (
	"io/fs"
	"syscall"
)

// hardLinks counts the names of a file.
func hardLinks(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink)
	}
	return 1
}
