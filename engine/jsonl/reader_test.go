package jsonl

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readLines reads all lines, "LONG" for each that is too long.
func readLines(t *testing.T, r io.Reader, limit int) (all []string) {
	t.Helper()
	l := NewReader(r)
	l.limit = limit
	for {
		line, err := l.Next()
		if err == io.EOF {
			return all
		}
		if errors.Is(err, ErrLong) {
			line = []byte("LONG")
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(line))
		if l.number != len(all) {
			t.Fatalf("line %d has number %d", len(all), l.number)
		}
	}
}

func TestLines(t *testing.T) {
	wide := strings.Repeat("w", 200_000) // over the buffer
	for _, test := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"\n", []string{""}},
		{"a", []string{"a"}},
		{"a\n", []string{"a"}},
		{"a\r\nb\r\n", []string{"a\r", "b\r"}},
		{"a\n\nb", []string{"a", "", "b"}},
		{"\ufeffa\n\ufeffb", []string{"a", "\ufeffb"}},
		{wide + "\n" + wide, []string{wide, wide}},
		{wide + "x\nb\n", []string{"LONG", "b"}},
		{"a\n" + wide + wide, []string{"a", "LONG"}},
		{wide + "\r\nb", []string{wide + "\r", "b"}},
		{wide + "xy\nb", []string{"LONG", "b"}},
		{wide + "xyz\r\nb", []string{"LONG", "b"}},
	} {
		for name, r := range map[string]io.Reader{
			"whole": strings.NewReader(test.in), "in halves": iotest.HalfReader(strings.NewReader(test.in)),
		} {
			if got := readLines(t, r, len(wide)); !slices.Equal(got, test.want) {
				t.Errorf("%.20q, %s: %.40q, want %.40q", test.in, name, got, test.want)
			}
		}
	}
}

func TestLinesReadError(t *testing.T) {
	broken := errors.New("broken")
	l := NewReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)))
	if line, err := l.Next(); string(line) != "a" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	if _, err := l.Next(); !errors.Is(err, broken) || !strings.Contains(err.Error(), "after line 1") {
		t.Errorf("error %v", err)
	}
}
