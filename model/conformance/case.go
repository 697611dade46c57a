package conformance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// Case is a made-up model and a batch for it. The same seed always gives the same case.
type Case struct {
	Seed    uint64
	Shape   synth.Shape
	Lengths []int // tokens in each sequence
	Weights *model.Weights
	Batch   *model.Batch
	Head    model.Head     // what is pooled; it has no steps
	Prompts []int          // how many of each sequence's tokens are a prompt's, never all
	Reduce  []model.Reduce // what Head reads of Batch
}

// RandomCase draws a model of random sizes: 1 to 16 heads of 8 to 128 channels, an odd
// number of inner channels, 1 to 3 layers, 1 or 2 types, few positions or 512; and what is
// pooled: half of the cases read [CLS] rows alone, the others one to three ways; where the largest
// is one of these, half skip prompts. Sizes are not multiples of anything,
// except for a third of the heads' sizes, which are multiples of 32: those have kernels of
// their own. The sizes are balanced so that a forward pass has 2^17 to 2^23 multiply-adds.
// Close the weights afterwards.
func RandomCase(seed uint64) (*Case, error) {
	r := rand.New(rand.NewPCG(seed, 0x6d6f64656c)) // another stream than those of the weights
	s := synth.Shape{Layers: 1 + r.IntN(3), Vocab: 104 + r.IntN(90), Types: 1 + r.IntN(2), Labels: 1, Positions: 512}
	tokens := int(math.Exp2(7.2 * r.Float64()))
	weights := math.Exp2(17+6*r.Float64()) / float64(tokens*s.Layers) // in a layer
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
	if r.IntN(2) == 0 {
		s.Positions = 1 + r.IntN(40)
	}
	var lengths []int
	for tokens > 0 {
		n := 1 + r.IntN(min(tokens, s.Positions))
		lengths = append(lengths, n)
		tokens -= n
	}
	pool := []model.Pooling{model.PoolCls}
	if r.IntN(2) == 0 {
		for i := range 1 + r.IntN(3) {
			pool = append(pool[:i], model.Pooling(r.IntN(int(model.PoolLast)+1)))
		}
	}
	return newCase(seed, s, lengths, pool, r)
}

// NewCase makes a model of a shape, a batch of sequences of the given lengths, and what is
// pooled. Close its weights afterwards.
func NewCase(seed uint64, shape synth.Shape, pool []model.Pooling, lengths ...int) (*Case, error) {
	return newCase(seed, shape, lengths, pool, rand.New(rand.NewPCG(seed, 1)))
}

func newCase(seed uint64, s synth.Shape, lengths []int, pool []model.Pooling, r *rand.Rand) (*Case, error) {
	m := &Case{Seed: seed, Shape: s, Lengths: lengths}
	m.Head = model.Head{Pool: pool, SkipPrompt: seed%2 == 0 && slices.Contains(pool, model.PoolMax)}
	fsys, err := synth.FS(seed, s)
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
	for i, n := range m.Lengths {
		m.Prompts = append(m.Prompts, (i+1)%n)
	}
	m.Reduce = m.Head.Reductions(nil, m.Batch, m.Prompts)
	return m, nil
}

// String lists the seed and all sizes.
func (m *Case) String() string {
	s := &m.Shape
	return fmt.Sprintf("model of seed %d (%d layers, %d heads of %d, %d inner channels, %d types, %d positions, vocabulary %d, sequences of %d, pooled by %d, skips prompts: %t)",
		m.Seed, s.Layers, s.Heads, s.Hidden/max(s.Heads, 1), s.Intermediate, s.Types, s.Positions, s.Vocab, m.Lengths, m.Head.Pool, m.Head.SkipPrompt)
}
