// Package progress draws the progress bar of a long command on a terminal. Elsewhere (a
// pipe, a file, a log) it draws nothing, so that there is only the command's own output.
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

// redraw is the least time between two drawings. A command may report each batch or each
// read; for a terminal, ten drawings a second are enough.
const redraw = 100 * time.Millisecond

// Bar shows one stage of a command at a time, on one line of a terminal of any width. A nil
// *Bar draws nothing. All methods are safe for concurrent use.
type Bar struct {
	mu      sync.Mutex
	w       io.Writer  // nil: nothing is drawn
	columns func() int // returns the terminal's width, which may change
	stage   stage
	width   int       // columns drawn so far on the line
	drawn   time.Time // zero if nothing of the stage is drawn yet
}

// New returns a bar that draws on f, if f is a terminal; otherwise it draws nothing. Use
// standard error, because standard output may carry results.
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

// Count says that done of total things in a stage are finished. A new name or a new total
// starts a new stage on a clean line. If total is below one, the length is unknown. Count
// can be used as bench.Options.Progress.
func (b *Bar) Count(stage string, done, total int) {
	b.show(stage, int64(done), int64(total), false)
}

// Bytes is Count for bytes: amounts are shown in kB, MB or GB, with a rate.
func (b *Bar) Bytes(stage string, done, total int64) {
	b.show(stage, done, total, true)
}

// Close clears the line. The bar can be used again afterwards.
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
		done = min(done, total) // a caller may count too far
	}
	b.stage.done = done
	if !b.drawn.IsZero() && now.Sub(b.drawn) < redraw {
		return
	}
	columns := b.columns() - 1 // after its last column a terminal may begin a new line
	line := b.stage.line(columns, now.Sub(b.stage.begun))
	width := utf8.RuneCountInString(line)
	// If the terminal is gone, the command need not fail.
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
