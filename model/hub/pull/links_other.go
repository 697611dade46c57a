//go:build !unix

package pull

import "io/fs"

// hardLinks counts the names of a file, where that can be told cheaply: not here.
func hardLinks(fs.FileInfo) uint64 { return 1 }
