package progress

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// The terminal is asked each time, since a user may resize it.
func TestColumns(t *testing.T) {
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer pty.Close()
	b := New(pty)
	for _, set := range []struct{ columns, want int }{{40, 40}, {132, 132}, {0, 80}} {
		if err := unix.IoctlSetWinsize(int(pty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(set.columns)}); err != nil {
			t.Fatal(err)
		}
		if got := b.columns(); got != set.want {
			t.Errorf("%d columns, want %d", got, set.want)
		}
	}
}
