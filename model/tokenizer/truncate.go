package tokenizer

import "slices"

// Side is the end at which texts that are too long are cut.
type Side int

const (
	TruncateRight Side = iota // keeps the first tokens of each text
	TruncateLeft              // keeps the last tokens of each text
)

// longestFirst returns how many of the n1 and n2 tokens of two texts are kept in
// room tokens. The shorter text is kept whole if it fits in half the room; else
// each gets half, and the longer text the odd token: the second, if they are
// equally long.
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
