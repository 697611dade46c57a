//go:build !windows

package progress

import "os"

// ansi says whether the terminal understands escape sequences: all do but those that call
// themselves dumb.
func ansi(*os.File) bool { return os.Getenv("TERM") != "dumb" }
