package ab

import "math/rand/v2"

// The names of a round's runs.
const (
	A = "A"
	B = "B"
)

// Schedule deals out the order of so many rounds: of two that follow each other one has A
// first and the other B, which of them being chance.
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
