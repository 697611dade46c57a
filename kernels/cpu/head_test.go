package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// randomDense is a layer whose outputs are about as large as its inputs.
func randomDense(r *rand.Rand, out, in int, bias bool) *model.Linear {
	values := func(n int, scale float64) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(scale * r.NormFloat64())
		}
		return v
	}
	l := &model.Linear{W: tensor.New(tensor.WithShape(out, in), tensor.WithBacking(values(out*in, 1/math.Sqrt(float64(in)))))}
	if bias {
		l.B = tensor.New(tensor.WithShape(out), tensor.WithBacking(values(out, 1)))
	}
	return l
}

// heads are those of every kind that checkpoints have, for rows of that width.
func heads(r *rand.Rand, width int) map[string]model.Head {
	cls := []model.Pooling{model.PoolCls}
	vector := func(v float32) *tensor.Dense {
		values := make([]float32, width)
		for i := range values {
			values[i] = v + float32(r.NormFloat64())/8
		}
		return tensor.New(tensor.WithShape(width), tensor.WithBacking(values))
	}
	return map[string]model.Head{
		"none":          {Pool: cls},
		"cross-encoder": {Pool: cls, Steps: []model.Step{{Dense: randomDense(r, width, width, true)}, {Act: math.Tanh}, {Dense: randomDense(r, 1, width, true)}}},
		"labels":        {Pool: cls, Steps: []model.Step{{Dense: randomDense(r, width, width, true)}, {Act: model.GELU}, {Dense: randomDense(r, 19, width, true)}}},
		"cut":           {Pool: cls, Steps: []model.Step{{Unit: true}, {Cut: 5}}},
		"unit":          {Pool: cls, Steps: []model.Step{{Unit: true}}},
		"dense":         {Pool: []model.Pooling{model.PoolMax, model.PoolMean}, Steps: []model.Step{{Dense: randomDense(r, 40, 2*width, false)}, {Act: math.Tanh}, {Unit: true}}},
		"residual":      {Pool: cls, Steps: []model.Step{{Around: []model.Step{{Dense: randomDense(r, width, width, true)}, {Act: math.Tanh}}}, {Unit: true}}},
		"projected":     {Pool: cls, Steps: []model.Step{{Around: []model.Step{{Dense: randomDense(r, 9, width, true)}}, Dense: randomDense(r, 9, width, false)}, {Around: []model.Step{{Dense: randomDense(r, 1, 9, true)}}, Dense: randomDense(r, 1, 9, false)}}},
		"norm":          {Pool: cls, Steps: []model.Step{{Norm: &model.Norm{Gain: vector(1), Bias: vector(0)}, Eps: 1e-5}, {Dense: randomDense(r, 3, width, false)}}},
	}
}

// Every head is near float64 on every instruction set, and the same, bit for bit, of a row
// alone; but for Generic also on all instruction sets.
func TestHead(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, width := range []int{33, 64, 384} {
		for name, head := range heads(r, width) {
			t.Run(fmt.Sprintf("%s of %d", name, width), func(t *testing.T) {
				const rows = 7
				in, out := width*len(head.Pool), head.Out(width*len(head.Pool))
				x, exact := make([]float32, rows*in), make([]float64, rows*in)
				for i := range x {
					x[i] = float32(r.NormFloat64())
					exact[i] = float64(x[i])
				}
				before, want := slices.Clone(x), head.Apply64(exact, rows)
				var same []float32
				for _, isa := range kernels.Permitted() {
					h := NewHead(&head, width, isa)
					if h.Out() != out || len(want) != rows*out {
						t.Fatalf("%d outputs, want %d; %d values in float64", h.Out(), out, len(want))
					}
					got := make([]float32, rows*out)
					h.Run(new(HeadMemory), got, x)
					if !slices.Equal(x, before) {
						t.Fatalf("%v: x is changed", isa)
					}
					for i, v := range want {
						// Sums of hundreds of products of size 1/√n, each rounded.
						if !(math.Abs(float64(got[i])-v) <= 4e-6*max(1, math.Abs(v))) {
							t.Errorf("%v: row %d: y[%d] = %g, want %g", isa, i/out, i%out, got[i], v)
						}
					}
					one := make([]float32, out)
					for i := range rows {
						if h.Run(new(HeadMemory), one, x[i*in:][:in]); !slices.Equal(one, got[i*out:][:out]) {
							t.Errorf("%v: row %d: %g alone, %g beside others", isa, i, one, got[i*out:][:out])
						}
					}
					if isa == kernels.Generic {
						continue
					}
					if same == nil {
						same = got
					}
					if !slices.Equal(got, same) {
						t.Errorf("%v: %g, want the very same as %g", isa, got, same)
					}
				}
			})
		}
	}
}

// A row of zeros stays one, and does not become NaN.
func TestUnitOfZeros(t *testing.T) {
	h := NewHead(&model.Head{Pool: []model.Pooling{model.PoolCls}, Steps: []model.Step{{Unit: true}}}, 4, kernels.Best())
	got := make([]float32, 8)
	h.Run(new(HeadMemory), got, []float32{0, 0, 0, 0, 0, -3, 4, 0})
	if !slices.Equal(got, []float32{0, 0, 0, 0, 0, -0.6, 0.8, 0}) {
		t.Errorf("%g", got)
	}
}

// A head is used by many goroutines, and does not read the checkpoint's weights again.
func TestHeadIsItsOwn(t *testing.T) {
	const width = 64
	r := rand.New(rand.NewPCG(13, 14))
	for _, isa := range kernels.Permitted() {
		head := heads(r, width)["cross-encoder"]
		x, want := make([]float32, 3*width), make([]float32, 3)
		for i := range x {
			x[i] = r.Float32()
		}
		h := NewHead(&head, width, isa)
		h.Run(new(HeadMemory), want, x)
		for _, s := range head.Steps {
			if s.Dense != nil {
				clear(model.Float32s(s.Dense.W))
				clear(model.Float32s(s.Dense.B))
			}
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				got, memory := make([]float32, 3), new(HeadMemory)
				for range 20 {
					if h.Run(memory, got, x); !slices.Equal(got, want) {
						t.Errorf("%v: %g, want the very same as %g", isa, got, want)
					}
				}
			})
		}
		wg.Wait()
	}
}

// BenchmarkHead is the head of 32 pairs of MiniLM's.
func BenchmarkHead(b *testing.B) {
	head := heads(rand.New(rand.NewPCG(1, 1)), 384)["cross-encoder"]
	h := NewHead(&head, 384, kernels.Best())
	x, scores, memory := make([]float32, 32*384), make([]float32, 32), new(HeadMemory)
	b.ReportAllocs()
	for b.Loop() {
		h.Run(memory, scores, x)
	}
}
