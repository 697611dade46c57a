package workbench

import (
	"math/rand/v2"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// operands is the memory that cases work on. Cases share it, because only one runs at a
// time; one may overwrite what another left in y.
type operands struct {
	x []float32 // read; as large as the largest case needs
	y []float32 // written
	w []float32 // weights

	word []float32 // vocabulary×width, made when it is first needed
}

// newOperands allocates memory for cases. Its random values always come from the same seed.
// Weights are so small that sums are of the size of x.
func newOperands(cases []*Case) *operands {
	var x, y, w int
	for _, c := range cases {
		x = max(x, c.Shape.Rows*c.Shape.In)
		y = max(y, c.Shape.Rows*c.Shape.Out)
		w = max(w, c.Shape.In*c.Shape.Out)
	}
	r := rand.New(rand.NewPCG(1, 2))
	return &operands{x: random(r, x, 1), y: random(r, y, 1), w: random(r, w, 1./32)}
}

// random returns n random values from -size to size.
func random(r *rand.Rand, n int, size float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = size * (2*r.Float32() - 1)
	}
	return x
}

func (o *operands) norm(width int) *kernels.Norm {
	gain := make([]float32, width)
	for i := range gain {
		gain[i] = 1
	}
	return &kernels.Norm{Gain: gain, Bias: o.w[:width], Eps: 1e-12}
}

// embeddings returns tables and a sequence of that many tokens. Its ids are all over the
// vocabulary and all different. Only these rows of the word table are ever touched.
func (o *operands) embeddings(tokens int) (e *kernels.Embeddings, ids, types []int32) {
	if o.word == nil {
		o.word = make([]float32, vocabulary*width)
	}
	for i, id := range rand.New(rand.NewPCG(3, 4)).Perm(vocabulary)[:tokens] {
		copy(o.word[id*width:][:width], o.w[i:])
		ids = append(ids, int32(id))
		types = append(types, int32(2*i/tokens))
	}
	return &kernels.Embeddings{Word: o.word, Position: o.x[:tokens*width], Type: o.w[:2*width], Norm: *o.norm(width)}, ids, types
}
