package tokenizer

import (
	"errors"
	"fmt"
	"slices"
)

// Truncation says what happens to pairs that are too long. The zero value cuts the end of
// the longer text, to 512 tokens a pair.
type Truncation struct {
	MaxLength int // the most tokens in a pair or text, the special tokens included; 0 means 512, and 2 is enough for a text alone
	Side      Side
	Strategy  Strategy
}

// Side is the end at which texts are cut.
type Side int

const (
	TruncateRight Side = iota // keeps the first tokens of each text
	TruncateLeft              // keeps the last tokens of each text
)

// String returns the side's name in the libraries.
func (s Side) String() string {
	switch s {
	case TruncateRight:
		return "right"
	case TruncateLeft:
		return "left"
	}
	return fmt.Sprintf("Side(%d)", int(s))
}

// Strategy says which text of a pair that is too long is cut.
type Strategy int

const (
	LongestFirst  Strategy = iota // the longer one, until both are equally long, then both
	OnlyFirst                     // the query; an error if nothing of it would be left
	OnlySecond                    // the passage; an error if nothing of it would be left
	DoNotTruncate                 // neither: a pair that is too long is an error
)

// strategies are the names of the strategies in the libraries.
var strategies = [...]string{"longest_first", "only_first", "only_second", "do_not_truncate"}

// ParseStrategy returns the strategy with a name of the libraries: longest_first,
// only_first, only_second or do_not_truncate.
func ParseStrategy(name string) (Strategy, error) {
	i := slices.Index(strategies[:], name)
	if i < 0 {
		return 0, fmt.Errorf("tokenizer: truncation strategy %.40q, want longest_first, only_first, only_second or do_not_truncate", name)
	}
	return Strategy(i), nil
}

// String returns the strategy's name in the libraries.
func (s Strategy) String() string {
	if s < 0 || int(s) >= len(strategies) {
		return fmt.Sprintf("Strategy(%d)", int(s))
	}
	return strategies[s]
}

// ErrTooLong is in every error about a pair that has too many tokens and that the strategy
// does not cut.
var ErrTooLong = errors.New("tokenizer: pair too long")

func (t Truncation) check() error {
	switch {
	case t.MaxLength < textSpecials:
		return fmt.Errorf("maximum length %d, want at least %d for the special tokens", t.MaxLength, textSpecials)
	case t.Side != TruncateRight && t.Side != TruncateLeft:
		return fmt.Errorf("truncation side %d, want TruncateRight or TruncateLeft", int(t.Side))
	case t.Strategy < 0 || int(t.Strategy) >= len(strategies):
		return fmt.Errorf("truncation strategy %v, want LongestFirst, OnlyFirst, OnlySecond or DoNotTruncate", t.Strategy)
	}
	return nil
}

// room returns how many tokens the two texts may have together.
func (t *Truncation) room() int { return t.MaxLength - specials }

// kept returns how many of the n1 and n2 tokens of two texts are kept. For a text that is
// not cut, any number above room gives the same result.
func (t *Truncation) kept(n1, n2 int) (int, int, error) {
	room := t.room()
	switch {
	case room < 0:
		return 0, 0, fmt.Errorf("%w: a pair has at least %d tokens, the special ones, and the maximum is %d", ErrTooLong, specials, t.MaxLength)
	case n1+n2 <= room:
		return n1, n2, nil
	case t.Strategy == DoNotTruncate:
		return 0, 0, fmt.Errorf("%w: more than %d tokens, and do_not_truncate keeps them all", ErrTooLong, t.MaxLength)
	case room == 0: // nothing is kept, whatever the strategy
		return 0, 0, nil
	case t.Strategy == OnlyFirst && n2 < room:
		return room - n2, n2, nil
	case t.Strategy == OnlySecond && n1 < room:
		return n1, room - n1, nil
	case t.Strategy == OnlyFirst:
		return 0, 0, t.fills("passage", "query")
	case t.Strategy == OnlySecond:
		return 0, 0, t.fills("query", "passage")
	}
	k1, k2 := longestFirst(n1, n2, room)
	return k1, k2, nil
}

// fills returns the error of a pair in which the text that is not cut leaves no room for
// the other.
func (t *Truncation) fills(whole, cut string) error {
	return fmt.Errorf("%w: %s cuts the %s alone, and the %s leaves no room for it in %d tokens", ErrTooLong, t.Strategy, cut, whole, t.MaxLength)
}

// longestFirst returns how many of the n1 and n2 tokens of two texts are kept in room
// tokens. The shorter text is kept as a whole if it fits in half the room. Otherwise each
// gets half, and the longer text the odd token; if they are equally long, the second gets
// it.
func longestFirst(n1, n2, room int) (int, int) {
	if n1+n2 <= room {
		return n1, n2
	}
	short := min(n1, n2, room/2)
	long := room - short
	if n1 > n2 {
		return long, short
	}
	return short, long
}

// cut keeps k of the n elements of s from at on.
func cut[T any](s []T, at, n, k int, side Side) []T {
	if side == TruncateLeft {
		return slices.Delete(s, at, at+n-k)
	}
	return slices.Delete(s, at+k, at+n)
}
