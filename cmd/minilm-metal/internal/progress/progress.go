// Package progress draws the bar of a long command on a terminal, and nothing
// anywhere else: a pipe, a file or a log gets only the command's own output.
package progress

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// redraw is the least time between two drawings. A command may report each
// batch or each read; a terminal needs ten a second.
const redraw = 100 * time.Millisecond

// Bar shows one stage of a command at a time. A nil *Bar draws nothing. All
// methods are safe for concurrent use.
type Bar struct {
	mu    sync.Mutex
	w     io.Writer // nil: nothing is drawn
	stage string
	total int64
	bar   *progressbar.ProgressBar // of the current stage; nil before the first
}

// New returns a bar on f, which draws nothing unless f is a terminal. Standard
// error is the place for it: standard output may carry results.
func New(f *os.File) *Bar {
	if !term.IsTerminal(int(f.Fd())) {
		return &Bar{}
	}
	return &Bar{w: f}
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
	b.stage, b.total = "", 0
}

func (b *Bar) show(stage string, done, total int64, bytes bool) {
	if b == nil || b.w == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	total = max(total, 0)
	if b.bar == nil || stage != b.stage || total != b.total {
		b.clear()
		b.stage, b.total, b.bar = stage, total, newBar(b.w, stage, total, bytes)
	}
	// The library stops drawing at its maximum and errs past it; a count that
	// overshoots is the caller's arithmetic, not a reason to fail the command.
	if total > 0 {
		done = min(done, total)
	}
	_ = b.bar.Set64(done) // the only other error is the terminal's, which is gone then
}

// clear wipes the line. The library's Finish would fill the bar up first and
// claim a stage done that was cut short.
func (b *Bar) clear() {
	if b.bar == nil {
		return
	}
	_ = b.bar.Clear()
	_ = b.bar.Exit()
	b.bar = nil
}

// newBar returns a bar of the library; total 0 gives a spinner.
func newBar(w io.Writer, stage string, total int64, bytes bool) *progressbar.ProgressBar {
	if total == 0 {
		total = -1
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(stage),
		progressbar.OptionShowBytes(bytes),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(redraw),
		progressbar.OptionSetWidth(24),
		progressbar.OptionClearOnFinish(),
		// The library's goroutine for an idle spinner would outlive the stage.
		progressbar.OptionSetSpinnerChangeInterval(0),
	)
}
