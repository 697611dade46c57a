package cpu

import (
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
	"gorgonia.org/tensor"
)

// layer holds the packed weights of one encoder layer. h is the hidden size and f the
// intermediate size.
type layer struct {
	query         *kernels.Matrix // h -> h
	keyValue      *kernels.Matrix // h -> 2h: Wk over Wv
	output        *kernels.Matrix // h -> h
	attentionNorm kernels.Norm
	up, down      *kernels.Matrix // h -> f -> h
	outputNorm    kernels.Norm
	// In Int8, the channels that stay float32 in the inputs of query and keyValue, of up,
	// and of down.
	attentionKeep, upKeep, downKeep []int
}

// pack packs a layer for the device's variant.
func (d *Device) pack(w *model.Weights, index int, of inputs) layer {
	v, h, f := d.variant, w.Config.HiddenSize, w.Config.IntermediateSize
	l := &w.Layers[index]
	p := layer{
		attentionNorm: norm(w, l.AttentionNorm), outputNorm: norm(w, l.OutputNorm),
		attentionKeep: of.attention.Keep, upKeep: of.up.Keep, downKeep: of.down.Keep,
	}
	linear := func(l model.Linear, out, in int, of kernels.Inputs) *kernels.Matrix {
		return kernels.Pack(model.Float32s(l.W), model.Float32s(l.B), out, in, v, of)
	}
	query, bias := model.Float32s(l.Query.W), model.Float32s(l.Query.B)
	if d.attendsTiles {
		scale := kernels.TilesQueryScale(d.heads)
		query, bias = scaled(query, scale), scaled(bias, scale)
	}
	p.query = kernels.Pack(query, bias, h, h, v, of.attention)
	p.keyValue = kernels.Pack(stack(l.Key.W, l.Value.W), stack(l.Key.B, l.Value.B), 2*h, h, v, of.attention)
	p.output = linear(l.Output, h, h, of.output)
	p.up, p.down = linear(l.Up, f, h, of.up), linear(l.Down, h, f, of.down)
	return p
}

func norm(w *model.Weights, n model.Norm) kernels.Norm {
	return kernels.Norm{Gain: model.Float32s(n.Gain), Bias: model.Float32s(n.Bias), Eps: w.Config.LayerNormEps}
}

// scaled returns a copy of x, multiplied by by.
func scaled(x []float32, by float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = v * by
	}
	return y
}

// stack returns the tensors' values, one tensor after the other.
func stack(parts ...*tensor.Dense) []float32 {
	n := 0
	for _, t := range parts {
		n += t.DataSize()
	}
	all := make([]float32, 0, n)
	for _, t := range parts {
		all = append(all, model.Float32s(t)...)
	}
	return all
}

// atOnce calls do for 0 to n-1 on several goroutines. If calls panic, for example because
// of a fault in a mapped file, it panics with the value of the first of them.
func atOnce(n, workers int, do func(i int)) {
	var (
		next   atomic.Int64
		wg     sync.WaitGroup
		once   sync.Once
		reason any
	)
	for range min(n, workers) {
		wg.Go(func() {
			debug.SetPanicOnFault(true) // as model.Weights.Guard does for the caller's goroutine
			defer func() {
				if r := recover(); r != nil {
					once.Do(func() { reason = r })
				}
			}()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
	if reason != nil {
		panic(reason)
	}
}
