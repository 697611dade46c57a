package progress

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// drawn returns what a bar writes while f runs. Between two reports the clock
// of the bubble moves on by more than the redraw interval.
func drawn(t *testing.T, f func(b *Bar, tick func())) string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		f(&Bar{w: &out}, func() { time.Sleep(2 * redraw) })
	})
	return out.String()
}

func TestCount(t *testing.T) {
	out := drawn(t, func(b *Bar, tick func()) {
		for done := range 4 {
			b.Count("warm-up", done, 10)
			tick()
		}
		b.Count("batch=32", 5, 200)
		tick()
		b.Count("batch=32", 50, 200)
		b.Close()
	})
	for _, want := range []string{"warm-up", "3/10", "batch=32", "50/200"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %q", want, out)
		}
	}
	if !strings.HasSuffix(out, " \r") {
		t.Errorf("the line is not wiped at the end: %q", out)
	}
	if strings.Contains(out, "10/10") || strings.Contains(out, "\n") {
		t.Errorf("a stage that was cut short is shown as done, or a line is left: %q", out)
	}
}

func TestBytes(t *testing.T) {
	out := drawn(t, func(b *Bar, tick func()) {
		tick()
		b.Bytes("model.safetensors", 0, 90_870_598)
		tick()
		b.Bytes("model.safetensors", 45_000_000, 90_870_598)
		b.Close()
	})
	if !strings.Contains(out, "45/91 MB") {
		t.Errorf("no 45/91 MB in %q", out)
	}
}

// A total that is unknown, overshot, or known only later must not disturb.
func TestOddTotals(t *testing.T) {
	out := drawn(t, func(b *Bar, tick func()) {
		b.Count("list", 1, 0)
		tick()
		b.Count("list", 7, -1)
		tick()
		b.Count("list", 8, 10)
		tick()
		b.Count("list", 99, 10)
		tick()
		b.Count("list", 2, 10)
		b.Close()
		b.Close()
		b.Count("again", 0, 3)
		tick()
		b.Count("again", 1, 3)
	})
	for _, want := range []string{"7/-", "again", "1/3"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %q", want, out)
		}
	}
	if strings.Contains(out, "99") {
		t.Errorf("a count past its total is drawn: %q", out)
	}
}

func TestNoTerminal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := New(f)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { b.Count("x", i, 8); b.Bytes("y", int64(i), 8) })
	}
	wg.Wait()
	b.Close()
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("wrote %d bytes to a file (%v)", info.Size(), err)
	}
	(*Bar)(nil).Count("x", 1, 2)
	(*Bar)(nil).Close()
}

func TestConcurrent(t *testing.T) {
	out := drawn(t, func(b *Bar, tick func()) {
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() { b.Count("stage", i, 16); tick(); b.Count("stage", i, 16) })
		}
		wg.Wait()
		b.Close()
	})
	if !strings.Contains(out, "stage") {
		t.Errorf("nothing drawn: %q", out)
	}
}
