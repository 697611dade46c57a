package tokenizer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A text by itself is encoded as AppendText appends it, with the spans and tokens that it has
// beside an empty passage, however it is cut.
func TestEncodeText(t *testing.T) {
	tok := uncased(t)
	for _, text := range []string{"", "How tall is it?", "Überraschend fährt der Café-Besitzer [SEP] naïvement.", "e\u0301a 漢字 x\xffy [CLS]", strings.Repeat("unbelievably, ", 40)} {
		whole := encode(t, tok, text, "")
		n := len(whole.IDs) - 3 // of the text
		for _, side := range []Side{TruncateRight, TruncateLeft} {
			for _, most := range []int{3, 4, 5, n + 1, n + 2, n + 3, NoLimit} {
				if most < specials {
					continue
				}
				t.Run(fmt.Sprintf("%.8q, %v, %d", text, side, most), func(t *testing.T) {
					cut, err := tok.Truncating(Truncation{MaxLength: most, Side: side})
					if err != nil {
						t.Fatal(err)
					}
					e, err := cut.EncodeText(text)
					ids, types, appended := cut.AppendText(nil, nil, text)
					if err := errors.Join(err, appended); err != nil {
						t.Fatal(err)
					}
					kept := min(n, most-2)
					from, to := 1, 1+kept
					if side == TruncateLeft {
						from, to = 1+n-kept, 1+n
					}
					if !slices.Equal(e.IDs, ids) || !slices.Equal(e.Types, types) || e.Truncated != (kept < n) {
						t.Errorf("%d %d, truncated %t, want %d %d", e.IDs, e.Types, e.Truncated, ids, types)
					}
					ends := func(middle []Span) []Span { return slices.Concat([]Span{{}}, middle, []Span{{}}) }
					if want := ends(whole.Offsets[from:to]); !slices.Equal(e.Offsets, want) {
						t.Errorf("offsets %d, want %d", e.Offsets, want)
					}
					if want := slices.Concat([]string{"[CLS]"}, whole.Tokens[from:to], []string{"[SEP]"}); !slices.Equal(e.Tokens, want) {
						t.Errorf("tokens %q, want %q", e.Tokens, want)
					}
					want := make([]bool, kept+2)
					want[0], want[kept+1] = true, true
					if !slices.Equal(e.Special, want) {
						t.Errorf("special %t, want %t", e.Special, want)
					}
					if length := cut.TextLength(text); length != n+2 {
						t.Errorf("length %d, want %d", length, n+2)
					}
				})
			}
		}
	}
}

// A text that may not be cut is an error, and none of it is encoded; its length is still told.
func TestTextsThatAreNotCut(t *testing.T) {
	tok, err := uncased(t).Truncating(Truncation{MaxLength: 6, Strategy: DoNotTruncate})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := tok.EncodeText("how tall is it"); err != nil || len(e.IDs) != 6 {
		t.Errorf("%d, %v, want 6 tokens", e.IDs, err)
	}
	e, err := tok.EncodeText("how tall is it now")
	if !errors.Is(err, ErrTooLong) || e.IDs != nil {
		t.Errorf("%d, %v", e.IDs, err)
	}
	if n := tok.TextLength("how tall is it now"); n != 7 {
		t.Errorf("length %d, want 7", n)
	}
	// The normalizer makes more of it than a text may have.
	long := withNormalizer(t, `{"type": "Replace", "pattern": {"String": "a"}, "content": "`+strings.Repeat("b", 1000)+`"}`)
	text := strings.Repeat("a", 2000)
	if n := long.TextLength(text); n != NoLimit {
		t.Errorf("length %d, want NoLimit", n)
	}
	if _, err := long.EncodeText(text); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
}

// What is special is what the tokenizer puts around texts, not what is written in them.
func TestSpecialTokens(t *testing.T) {
	tok := uncased(t)
	e := encode(t, tok, "a [SEP] b", "[CLS]")
	if want := []string{"[CLS]", "a", "[SEP]", "b", "[SEP]", "[CLS]", "[SEP]"}; !slices.Equal(e.Tokens, want) {
		t.Fatalf("%q, want %q", e.Tokens, want)
	}
	if want := []bool{true, false, false, false, true, false, true}; !slices.Equal(e.Special, want) {
		t.Errorf("%t, want %t", e.Special, want)
	}
	empty := encode(t, tok, "", "")
	if !slices.Equal(empty.Special, []bool{true, true, true}) {
		t.Errorf("%t of no text", empty.Special)
	}
}

// No length is 0 by mistake: to cut nothing there is NoLimit.
func TestTruncatingToNothing(t *testing.T) {
	if _, err := uncased(t).Truncating(Truncation{}); err == nil || !strings.Contains(err.Error(), "maximum length 0, want at least 2") {
		t.Error(err)
	}
}
