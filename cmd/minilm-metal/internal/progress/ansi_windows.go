package progress

import (
	"os"

	"golang.org/x/sys/windows"
)

// ansi asks the console to understand escape sequences, which older ones do not.
func ansi(f *os.File) bool {
	var mode uint32
	console := windows.Handle(f.Fd())
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
