// Package progress draws the progress bar of a long command on a terminal. Elsewhere (a
// pipe, a file, a log) it draws nothing, so that there is only the command's own output.
package progress

import (
	"fmt"
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
	ansi    bool       // the terminal understands escape sequences
	stage   stage
	width   int       // columns drawn so far on the line
	fields  []string  // short texts to be drawn below the line
	below   int       // how many lines are drawn below it
	drawn   time.Time // zero if nothing of the stage is drawn yet
}

// New returns a bar that draws on f, if f is a terminal; otherwise it draws nothing. Use
// standard error, because standard output may carry results.
func New(f *os.File) *Bar {
	if !term.IsTerminal(int(f.Fd())) {
		return &Bar{}
	}
	return &Bar{w: f, ansi: ansi(f), columns: func() int {
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

// Shown says whether anything is drawn.
func (b *Bar) Shown() bool { return b != nil && b.w != nil }

// Beneath shows short texts below the line of the stage, as many on each line of the terminal
// as fit. They stay until the next call; a call without any takes them away. If the terminal
// cannot go back to a line above, they are not shown.
func (b *Bar) Beneath(fields ...string) {
	if !b.Shown() || !b.ansi {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fields = fields
	switch {
	case len(fields) == 0:
		b.clear()
	case !b.stage.begun.IsZero():
		b.draw(time.Now())
	}
}

// Close clears the line. The bar can be used again afterwards.
func (b *Bar) Close() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	b.stage, b.fields = stage{}, nil
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
	b.draw(now)
}

// draw draws the stage's line and what is to be below it.
func (b *Bar) draw(now time.Time) {
	columns := b.columns() - 1 // after its last column a terminal may begin a new line
	line := b.stage.line(columns, now.Sub(b.stage.begun))
	width := utf8.RuneCountInString(line)
	// If the terminal is gone, the command need not fail.
	text := b.top() + line + strings.Repeat(" ", max(0, min(b.width, columns)-width))
	below := flow(b.fields, columns)
	for _, l := range below {
		text += "\n" + l
	}
	_, _ = io.WriteString(b.w, text)
	b.width, b.drawn, b.below = width, now, len(below)
}

// top goes to the beginning of the line, and wipes what is below it. A bar without lines
// below it uses a carriage return and nothing else.
func (b *Bar) top() string {
	if b.below == 0 {
		return "\r"
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", b.below)
}

// clear wipes the line, and those below it.
func (b *Bar) clear() {
	if !b.drawn.IsZero() {
		_, _ = io.WriteString(b.w, b.top()+strings.Repeat(" ", min(b.width, b.columns()-1))+"\r")
	}
	b.width, b.drawn, b.below = 0, time.Time{}, 0
}
