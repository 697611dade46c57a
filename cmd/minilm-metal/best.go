package main

import (
	"cmp"
	"container/heap"
	"slices"
)

// best keeps the k passages with the highest scores, or all if k is 0. Of equal scores it
// keeps the first in the input. It is a heap with the worst kept passage on top, so that a
// million passages cost the memory of k.
type best struct {
	k    int
	kept []passage
}

// compareRank is negative if a comes before b.
func compareRank(a, b passage) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.index, b.index))
}

func (b *best) add(p passage) {
	switch {
	case b.k == 0:
		b.kept = append(b.kept, p) // sorted once, at the end
	case len(b.kept) < b.k:
		heap.Push(b, p)
	case compareRank(p, b.kept[0]) < 0:
		b.kept[0] = p
		heap.Fix(b, 0)
	}
}

// sorted returns the kept passages, best first. Nothing may be added afterwards.
func (b *best) sorted() []passage {
	slices.SortFunc(b.kept, compareRank)
	return b.kept
}

// The methods of heap.Interface.

func (b *best) Len() int           { return len(b.kept) }
func (b *best) Less(i, j int) bool { return compareRank(b.kept[i], b.kept[j]) > 0 }
func (b *best) Swap(i, j int)      { b.kept[i], b.kept[j] = b.kept[j], b.kept[i] }
func (b *best) Push(x any)         { b.kept = append(b.kept, x.(passage)) }
func (b *best) Pop() any {
	last := b.kept[len(b.kept)-1]
	b.kept = b.kept[:len(b.kept)-1]
	return last
}
