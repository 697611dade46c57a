package progress

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// screen is what a terminal shows of what was written to it, as far as a bar writes.
func screen(t *testing.T, text string, columns int) []string {
	t.Helper()
	lines, row, col := [][]rune{nil}, 0, 0
	for i := 0; i < len(text); {
		if strings.HasPrefix(text[i:], "\x1b[") {
			end := i + strings.IndexAny(text[i:], "AJ")
			switch n, _ := strconv.Atoi(text[i+2 : end]); text[end] {
			case 'A':
				if row -= n; row < 0 {
					t.Fatalf("the cursor leaves what the bar has drawn: %q", text)
				}
			case 'J':
				lines = lines[:row+1]
				lines[row] = lines[row][:min(col, len(lines[row]))]
			}
			i = end + 1
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch r {
		case '\r':
			col = 0
		case '\n':
			if row, col = row+1, 0; row == len(lines) {
				lines = append(lines, nil)
			}
		default:
			for len(lines[row]) <= col {
				lines[row] = append(lines[row], ' ')
			}
			lines[row][col] = r
			if col++; col >= columns {
				t.Fatalf("a line of %d columns wraps: %q", columns, string(lines[row]))
			}
		}
	}
	var out []string
	for _, l := range lines {
		if s := strings.TrimRight(string(l), " "); s != "" {
			out = append(out, s)
		}
	}
	return out
}

var someFields = []string{"312.4 pairs/s", "P50 95.1 ms", "P95 121 ms", "1m12s left", "CPU 98 %", "memory 301 MB"}

// Fields flow into lines as wide as the terminal, are drawn over where they were, and leave
// nothing behind.
func TestBeneath(t *testing.T) {
	for columns, want := range map[int][]string{
		40:  {"312.4 pairs/s  P50 95.1 ms  P95 121 ms", "1m12s left  CPU 98 %  memory 301 MB"},
		120: {"312.4 pairs/s  P50 95.1 ms  P95 121 ms  1m12s left  CPU 98 %  memory 301 MB"},
		12:  {"312.4 pair…", "P50 95.1 ms", "P95 121 ms", "1m12s left", "CPU 98 %", "memory 301…"},
	} {
		var out bytes.Buffer
		synctest.Test(t, func(t *testing.T) {
			b := &Bar{w: &out, ansi: true, columns: func() int { return columns }}
			b.Beneath("before there is a line")
			b.Count("batch", 1, 9)
			time.Sleep(2 * redraw)
			b.Beneath(slices.Repeat(someFields, 3)...) // more lines than afterwards
			b.Beneath(someFields...)
			b.Count("batch", 2, 9)
			time.Sleep(2 * redraw)
			b.Count("batch", 3, 9)
			got := screen(t, out.String(), columns)
			if len(got) != 1+len(want) || !strings.HasPrefix(got[0], "batch 3/9") || !slices.Equal(got[1:], want) {
				t.Errorf("%d columns: %q", columns, got)
			}
			b.Count("another", 1, 3)
			if got := screen(t, out.String(), columns); len(got) != 1+len(want) || !strings.HasPrefix(got[0], "another") {
				t.Errorf("%d columns, another stage: %q", columns, got)
			}
			b.Beneath()
			if got := screen(t, out.String(), columns); len(got) != 0 {
				t.Errorf("%d columns: left %q", columns, got)
			}
			b.Beneath(someFields...)
			b.Count("another", 2, 3)
			b.Close()
			if got := screen(t, out.String(), columns); len(got) != 0 {
				t.Errorf("%d columns: left %q", columns, got)
			}
		})
	}
}

// Without escape sequences there is the line alone, and nothing at all without a terminal.
func TestBeneathNowhere(t *testing.T) {
	out := drawn(t, func(b *Bar, tick func()) {
		b.Beneath(someFields...)
		b.Count("batch", 1, 9)
		tick()
		b.Count("batch", 2, 9)
		b.Close()
	})
	if strings.ContainsAny(out, "\n\x1b") || strings.Contains(out, "pairs/s") {
		t.Errorf("%q", out)
	}
	for _, b := range []*Bar{nil, {}} {
		b.Beneath(someFields...)
		if b.Shown() {
			t.Error("shown nowhere")
		}
	}
}
