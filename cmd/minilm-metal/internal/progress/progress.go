// Package progress draws the bar of a long command on a terminal, and nothing
// anywhere else: a pipe, a file or a log gets only the command's own output.
package progress

import (
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// redraw is the least time between two drawings. A command may report each
// batch or each read; a terminal needs ten a second.
const redraw = 100 * time.Millisecond

// Bar shows one stage of a command at a time, on one line of a terminal however
// narrow that is. A nil *Bar draws nothing. All methods are safe for concurrent
// use.
type Bar struct {
	mu      sync.Mutex
	w       io.Writer  // nil: nothing is drawn
	columns func() int // of the terminal, which a user may resize
	stage   stage
	width   int       // of what is drawn, in columns
	drawn   time.Time // zero: nothing of the stage yet
}

// New returns a bar on f, which draws nothing unless f is a terminal. Standard
// error is the place for it: standard output may carry results.
func New(f *os.File) *Bar {
	if !term.IsTerminal(int(f.Fd())) {
		return &Bar{}
	}
	return &Bar{w: f, columns: func() int {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
		return 80
	}}
}

// Count says that done of total things of a stage are finished. A new stage
// name, or a new total, clears the line and starts again. A total below one is
// a stage of unknown length. Count fits bench.Options.Progress.
func (b *Bar) Count(stage string, done, total int) {
	b.show(stage, int64(done), int64(total), false)
}

// Bytes is Count for bytes: amounts are shown in kB, MB or GB, with a rate.
func (b *Bar) Bytes(stage string, done, total int64) {
	b.show(stage, done, total, true)
}

// Close clears the line. The bar can be used again after it.
func (b *Bar) Close() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	b.stage = stage{}
}

func (b *Bar) show(name string, done, total int64, bytes bool) {
	if b == nil || b.w == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	total = max(total, 0)
	now := time.Now()
	if b.stage.begun.IsZero() || name != b.stage.name || total != b.stage.total {
		b.clear()
		b.stage = stage{name: name, total: total, bytes: bytes, begun: now, first: done}
	}
	if total > 0 {
		done = min(done, total) // a count that overshoots is the caller's arithmetic
	}
	b.stage.done = done
	if !b.drawn.IsZero() && now.Sub(b.drawn) < redraw {
		return
	}
	columns := b.columns() - 1 // a terminal may go to the next line after its last column
	line := b.stage.line(columns, now.Sub(b.stage.begun))
	width := utf8.RuneCountInString(line)
	// A terminal that is gone is no reason to fail the command.
	_, _ = io.WriteString(b.w, "\r"+line+strings.Repeat(" ", max(0, min(b.width, columns)-width)))
	b.width, b.drawn = width, now
}

// clear wipes the line.
func (b *Bar) clear() {
	if !b.drawn.IsZero() {
		_, _ = io.WriteString(b.w, "\r"+strings.Repeat(" ", min(b.width, b.columns()-1))+"\r")
	}
	b.width, b.drawn = 0, time.Time{}
}
