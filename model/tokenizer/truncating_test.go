package tokenizer

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestTruncating(t *testing.T) {
	tok := tiny(t, Uncased())
	for _, n := range []int{-1, 0, 1} {
		if _, err := tok.Truncating(Truncation{MaxLength: n, Side: TruncateRight}); err == nil {
			t.Errorf("maximum length %d is accepted", n)
		}
	}
	if _, err := tok.Truncating(Truncation{MaxLength: 9, Side: -1}); err == nil {
		t.Error("side -1 is accepted")
	}
	short, err := tok.Truncating(Truncation{MaxLength: 5, Side: TruncateLeft})
	if err != nil {
		t.Fatal(err)
	}
	if short.MaxLength() != 5 || tok.MaxLength() != 512 {
		t.Errorf("maximum lengths %d and %d, want 5 and, unchanged, 512", short.MaxLength(), tok.MaxLength())
	}
	// Two tokens are enough for a text, and too few for a pair, whatever is in it.
	for _, how := range []Truncation{{MaxLength: 2}, {MaxLength: 2, Side: TruncateLeft}, {MaxLength: 2, Strategy: OnlySecond}, {MaxLength: 2, Strategy: DoNotTruncate}} {
		least, err := tok.Truncating(how)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"", "a b"} {
			if ids, _, err := least.AppendPair([]int32{7}, nil, text, text); !errors.Is(err, ErrTooLong) || !strings.Contains(err.Error(), "a pair has at least 3 tokens") || len(ids) != 1 {
				t.Errorf("%+v: %d, %v", how, ids, err)
			}
		}
	}
	if e := encode(t, short, "a b a b", "b"); !slices.Equal(e.IDs, []int32{2, 6, 3, 6, 3}) || !e.Truncated {
		t.Errorf("%+v", e)
	}
}

// TestLongestFirst compares with the definition: while there is no room, the
// longer text loses a token, and the first where both are equally long.
// (It leaves the odd token to the text that was longer at first.)
func TestLongestFirst(t *testing.T) {
	for n1 := range 40 {
		for n2 := range 40 {
			for room := range 60 {
				w1, w2 := n1, n2
				for w1+w2 > room {
					if w1 > w2 || w1 == w2 && n1 <= n2 {
						w1--
					} else {
						w2--
					}
				}
				if k1, k2 := longestFirst(n1, n2, room); k1 != w1 || k2 != w2 {
					t.Fatalf("%d and %d tokens in room for %d: %d and %d, want %d and %d", n1, n2, room, k1, k2, w1, w2)
				}
			}
		}
	}
}
