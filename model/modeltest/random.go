package modeltest

import (
	"flag"
	"fmt"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/conformance"
)

var (
	models = flag.Int("models", 0, "how many random models TestRandomModels tries; 0: as many as it does by itself")
	first  = flag.Uint64("first", 1, "the seed of the first of them")
)

// EachRandom runs test on that many random models if tests are to be thorough, else on a
// quarter of them; flags can set other numbers. Each runs in a parallel subtest, which is
// named by its seed and closes the weights. A failure names the seed: -first SEED -models 1
// repeats it.
func EachRandom(t *testing.T, thorough int, test func(*testing.T, *conformance.Case)) {
	n := thorough
	if testing.Short() || !Thorough() {
		n = (n + 3) / 4
	}
	if *models > 0 {
		n = *models
	}
	for i := range n {
		seed := *first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			test(t, Draw(t, seed))
		})
	}
}

// Draw returns the random case of a seed. The test closes its weights at its end.
func Draw(t *testing.T, seed uint64) *conformance.Case {
	t.Helper()
	m, err := conformance.RandomCase(seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Weights.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}
