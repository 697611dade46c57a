package ab

import (
	"math/rand/v2"
	"slices"
)

// The names of the two sides.
const (
	A = "A"
	B = "B"
)

// Schedule returns the order of the runs in each round. Of each two successive rounds, one
// has A first and the other B first; chance decides which.
func Schedule(rounds int, seed uint64) [][2]string {
	random := rand.New(rand.NewPCG(seed, 0))
	var out [][2]string
	for range (rounds + 1) / 2 {
		pair := [][2]string{{A, B}, {B, A}}
		if random.IntN(2) == 1 {
			pair[0], pair[1] = pair[1], pair[0]
		}
		out = append(out, pair...)
	}
	return out[:rounds]
}

// Turns returns the order of n sides in each round, for trials of more than two. Of each two
// successive rounds the second is the first one backwards, and the first is dealt out by
// chance. So any two sides precede each other equally often, as those of Schedule do.
func Turns(n, rounds int, seed uint64) [][]int {
	random := rand.New(rand.NewPCG(seed, 0))
	var out [][]int
	for range (rounds + 1) / 2 {
		order := random.Perm(n)
		back := slices.Clone(order)
		slices.Reverse(back)
		out = append(out, order, back)
	}
	return out[:rounds]
}
