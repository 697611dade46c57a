package modeltest

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

var (
	models = flag.Int("models", 0, "how many random models TestRandomModels tries; 0: as many as it does by itself")
	first  = flag.Uint64("first", 1, "the seed of the first of them")
)

// EachRandom runs test on so many random models where tests are to be thorough, else on a
// quarter, or as the flags say: each in a parallel subtest that has its seed's name, and closes its
// weights. A failure says the seed: -first SEED -models 1 has it again.
func EachRandom(t *testing.T, thorough int, test func(*testing.T, *Random)) {
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

// Draw returns the random model of a seed, whose weights the test closes at its end.
func Draw(t *testing.T, seed uint64) *Random {
	t.Helper()
	m, err := NewRandom(seed)
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

// Random is a model of sizes that nobody chose, and a batch for it: what a seed says,
// again and again.
type Random struct {
	Seed    uint64
	Shape   synth.Shape
	Lengths []int // tokens of each sequence
	Weights *model.Weights
	Batch   *model.Batch
}

// NewRandom draws the model of a seed: 1 to 16 heads of 8 to 128 channels, an odd
// number of inner ones, 1 to 3 layers, 1 to 5 labels (mostly 1, since only then is
// there a score), 1 or 2 types, few positions or 512. Sizes are multiples of nothing, but
// for a third of the heads', which are of 32: those have kernels of their own. The more
// there is of one, the less of the others: a forward is of 2^17 to 2^23 multiply-adds.
// Close its weights.
func NewRandom(seed uint64) (*Random, error) {
	r := rand.New(rand.NewPCG(seed, 0x6d6f64656c)) // not the streams of the weights
	m := &Random{Seed: seed}
	m.Shape = synth.Shape{Layers: 1 + r.IntN(3), Vocab: 104 + r.IntN(90), Types: 1 + r.IntN(2), Labels: 1, Positions: 512}
	s := &m.Shape
	tokens := int(math.Exp2(7.2 * r.Float64()))
	weights := math.Exp2(17+6*r.Float64()) / float64(tokens*s.Layers) // of a layer
	for {
		s.Heads = 1 + r.IntN(16)
		size := 8 + r.IntN(121)
		if r.IntN(3) == 0 {
			size = 32 * (1 + r.IntN(4))
		}
		if s.Hidden = s.Heads * size; s.Hidden == 8 || float64(4*s.Hidden*s.Hidden) <= weights {
			break
		}
	}
	most := min(weights/float64(2*s.Hidden), float64(5*s.Hidden))
	s.Intermediate = 2*int(math.Pow(max(most/2, 1), math.Sqrt(r.Float64()))) + 1
	if r.IntN(4) == 0 {
		s.Labels = 1 + r.IntN(5)
	}
	if r.IntN(2) == 0 {
		s.Positions = 1 + r.IntN(40)
	}
	for tokens > 0 {
		n := 1 + r.IntN(min(tokens, s.Positions))
		m.Lengths = append(m.Lengths, n)
		tokens -= n
	}
	fsys, err := synth.FS(seed, *s)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", m, err)
	}
	if m.Weights, err = model.Load(fsys); err != nil {
		return nil, fmt.Errorf("%v: %w", m, err)
	}
	m.Batch = new(model.Batch)
	for _, n := range m.Lengths {
		second := r.IntN(n + 1)
		for t := range n {
			m.Batch.IDs = append(m.Batch.IDs, int32(r.IntN(s.Vocab)))
			typ := int32(0)
			if t >= second {
				typ = int32(s.Types - 1)
			}
			m.Batch.Types = append(m.Batch.Types, typ)
		}
		m.Batch.End()
	}
	return m, nil
}

// String says the seed and all sizes.
func (m *Random) String() string {
	s := &m.Shape
	return fmt.Sprintf("model of seed %d (%d layers, %d heads of %d, %d inner channels, %d labels, %d types, %d positions, vocabulary %d, sequences of %d)",
		m.Seed, s.Layers, s.Heads, s.Hidden/max(s.Heads, 1), s.Intermediate, s.Labels, s.Types, s.Positions, s.Vocab, m.Lengths)
}
