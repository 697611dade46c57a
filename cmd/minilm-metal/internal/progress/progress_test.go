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
	"unicode/utf8"
)

// drawn returns what a bar writes while f runs. Between two reports the clock
// of the bubble moves on by more than the redraw interval.
func drawn(t *testing.T, f func(b *Bar, tick func())) string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		f(&Bar{w: &out, columns: func() int { return 80 }}, func() { time.Sleep(2 * redraw) })
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
	for _, want := range []string{"list 7 ", "again", "1/3"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %q", want, out)
		}
	}
	if strings.Contains(out, "99") {
		t.Errorf("a count past its total is drawn: %q", out)
	}
}

// On a narrow terminal a line stays a line: its end wraps nowhere, and what matters most is
// there.
func TestNarrow(t *testing.T) {
	const stage = "batch=32, concurrency=1: warm-up"
	for _, test := range []struct {
		columns   int
		has, less string
	}{
		{20, "1234/3200", "%"}, {40, "batch=32, concurrency=1: war… 1234/3200", "|"}, {60, stage + " 1234/3200 38%", "…"}, {120, "|#########", "…"}, {5, "", "%"}, {1, "", "x"},
	} {
		var out bytes.Buffer
		synctest.Test(t, func(t *testing.T) {
			b := &Bar{w: &out, columns: func() int { return test.columns }}
			for _, done := range []int{0, 617, 1234} {
				b.Count(stage, done, 3200)
				b.Count("other", done, 0)
				b.Bytes("a/rather/long/name/of-a-file.safetensors", int64(done)*1e5, 3200e5)
				b.Count(stage, done, 3200)
				time.Sleep(2 * redraw)
			}
			b.Close()
		})
		for line := range strings.SplitSeq(out.String(), "\r") {
			if n := utf8.RuneCountInString(line); n >= test.columns && n > 0 {
				t.Errorf("%d columns: %d of them are written: %q", test.columns, n, line)
			}
			if strings.Contains(line, "1234") && strings.Contains(line, test.less) {
				t.Errorf("%d columns: %q in %q", test.columns, test.less, line)
			}
		}
		if !strings.Contains(out.String(), test.has) || strings.Contains(out.String(), "\n") {
			t.Errorf("%d columns: no %q in %q", test.columns, test.has, out.String())
		}
	}
}

// A line that is narrowed by its user is drawn anew within the new width.
func TestResized(t *testing.T) {
	columns := 100
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		b := &Bar{w: &out, columns: func() int { return columns }}
		b.Count("stage", 1, 10)
		time.Sleep(2 * redraw)
		columns = 30
		out.Reset()
		b.Count("stage", 2, 10)
		b.Close()
	})
	if text := out.String(); len(text) > 2*30+2 || !strings.Contains(text, "2/10") {
		t.Errorf("%q", text)
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
