package bench

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// On text without accents the textbook's tokens are those of the tokenizer that it is timed
// beside, also of pairs that are cut.
func TestTextbook(t *testing.T) {
	const most = 24
	book, err := newTextbook(testdata.Tiny(), most)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.LoadFS(testdata.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	if tok, err = tok.Truncating(tokenizer.Truncation{MaxLength: most}); err != nil {
		t.Fatal(err)
	}
	known, unknown := 0, 0
	for _, p := range []engine.Pair{
		{Query: "How many people live in Berlin?", Passage: "Berlin had a population of 3,520,031 (in 2015)."},
		{Query: "", Passage: ""},
		{Query: "tabs\tand\nlines", Passage: "an e-mail: a_b+c@d.org, $5; \u4e2d\u6587 \u201cquoted\u201d\u2014dashed"},
		{Query: "nothing\u200b seen\x00 and \ufffd", Passage: strings.Repeat("a", 101) + " " + strings.Repeat("b", 100)},
		{Query: strings.Repeat("long query ", 20), Passage: "short"},
		{Query: "short", Passage: strings.Repeat("long passage ", 20)},
	} {
		want, _, err := tok.AppendPair(nil, nil, p.Query, p.Passage)
		if err != nil {
			t.Fatal(err)
		}
		if got := book.pair(p); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", p, got, want)
		}
		for _, id := range want {
			if id == book.unknown {
				unknown++
			} else {
				known++
			}
		}
	}
	if known < 50 || unknown == 0 {
		t.Errorf("%d known tokens and %d unknown ones show little", known, unknown)
	}
	if _, err := newTextbook(fstest.MapFS{}, most); err == nil {
		t.Error("a tokenizer of no files")
	}
}
