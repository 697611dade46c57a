package markdown

import (
	"slices"
	"strings"
	"testing"
)

// What the writers of tables write, Cells reads back.
func TestCells(t *testing.T) {
	titles := []string{"a", "b | c", "d"}
	row := []string{"", `back\slash`, "|"}
	var text strings.Builder
	p := NewPage(&text)
	p.AlignedTable(slices.Clone(titles), [][]string{slices.Clone(row)})
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if got := Cells(lines[0]); !slices.Equal(got, titles) {
		t.Errorf("%q of %q", got, lines[0])
	}
	if got := Cells(lines[2]); !slices.Equal(got, row) {
		t.Errorf("%q of %q", got, lines[2])
	}
	for line, want := range map[string][]string{
		"|": nil, "| a |": {"a"}, " | a | b": {"a", "b"}, "a | b |": {"a", "b"}, "| a ||": {"a", ""}, `| a \|`: {"a |"},
	} {
		if got := Cells(line); !slices.Equal(got, want) {
			t.Errorf("%q of %q, want %q", got, line, want)
		}
	}
}
