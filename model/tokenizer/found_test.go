package tokenizer

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// TestFound holds this package to the cases that TestAgainstLibrary found, each made
// small by hand: what was read otherwise than by the library once, and what is beside it.
func TestFound(t *testing.T) {
	text, err := os.ReadFile("../../testdata/tokenizer/found.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) < 11 {
		t.Errorf("%d cases", len(lines))
	}
	for i, line := range lines {
		var c struct {
			Why, Query, Passage string
			Strategy            string // longest_first if it is not there
			Max                 int
			Left                bool
			IDs, Types, Offsets []int
			Tokenizer           json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		tok, err := LoadFS(fstest.MapFS{jsonFile: {Data: c.Tokenizer}})
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		got := ours(cutting(t, tok, group{Max: c.Max, Left: c.Left, Strategy: c.Strategy}), c.Query, c.Passage)
		if want := (reading{ids: c.IDs, types: c.Types, offsets: c.Offsets}); !got.equal(want, tok) {
			t.Errorf("line %d, %s: %q, %q, at most %d:\n got %v\nwant %v", i+1, c.Why, c.Query, c.Passage, c.Max, got, want)
		}
	}
}
