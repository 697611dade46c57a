package main

import (
	"bytes"
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
	l := newLineReader(r)
	l.limit = limit
	for {
		line, err := l.next()
		if err == io.EOF {
			return all
		}
		if errors.Is(err, errLongLine) {
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
		{"a\r\nb\r\n", []string{"a", "b"}},
		{"a\n\nb", []string{"a", "", "b"}},
		{"\ufeffa\n\ufeffb", []string{"a", "\ufeffb"}},
		{wide + "\n" + wide, []string{wide, wide}},
		{wide + "x\nb\n", []string{"LONG", "b"}},
		{"a\n" + wide + wide, []string{"a", "LONG"}},
		{wide + "\r\nb", []string{wide, "b"}},
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
	l := newLineReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)))
	if line, err := l.next(); string(line) != "a" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	if _, err := l.next(); !errors.Is(err, broken) || !strings.Contains(err.Error(), "after line 1") {
		t.Errorf("error %v", err)
	}
}

func FuzzParsePair(f *testing.F) {
	for _, line := range []string{
		`{"query":"a","passage":"b"}`, `{"q":"a","p":"b"}`, `{"input_ids":[1,2],"token_type_ids":[0,1]}`,
		`{"input_ids":[1]}`, `{"query":null}`, `[`, `{"input_ids":[null]}`, "{\"query\":\"\xff\"}", `{"query":"\ud800","passage":""}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		var in input
		err := in.parsePair(line)
		if !bytes.Equal(line, before) {
			t.Error("the line was changed")
		}
		if err != nil {
			return
		}
		if len(in.ids) != len(in.types) {
			t.Errorf("%d ids, %d types", len(in.ids), len(in.types))
		}
		if in.ids != nil && in.pair.Query+in.pair.Passage != "" {
			t.Error("both text and tokens")
		}
		if n := len(in.pair.Query) + len(in.pair.Passage) + 2*len(in.ids); n > 4*len(line) {
			t.Errorf("%d bytes and numbers from a line of %d bytes", n, len(line))
		}
	})
}
