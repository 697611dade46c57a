// Package cpu is the device that runs a model's blocks on the processor's own
// cores: one pass on one core, with package kernels' arithmetic in float32, for
// the instruction set that it is opened with.
package cpu

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
	"gorgonia.org/tensor"
)

// Device holds the weights in the layout that the kernels read.
type Device struct {
	isa    kernels.ISA
	config model.Config
	embed  kernels.Embeddings
	layers []layer
	head   *kernels.Head
	noHead error      // why there is no head
	passes chan *pass // those not under way; their memory is reused
}

// layer is one encoder layer. With h the hidden size and f the intermediate
// size:
type layer struct {
	query         *kernels.Matrix // h -> h
	keyValue      *kernels.Matrix // h -> 2h: Wk over Wv
	output        *kernels.Matrix // h -> h
	attentionNorm kernels.Norm
	up, down      *kernels.Matrix // h -> f -> h
	outputNorm    kernels.Norm
}

// Open packs w for isa, which this processor must run, and for workers passes
// at the same time. The weights stay the caller's and must outlive the device,
// which reads the embeddings, and with kernels.Generic everything, in place.
func Open(w *model.Weights, workers int, isa kernels.ISA) (*Device, error) {
	if workers < 1 {
		return nil, fmt.Errorf("cpu: %d workers, want at least 1", workers)
	}
	if !slices.Contains(kernels.Available(), isa) {
		return nil, fmt.Errorf("cpu: this processor does not run %v, only %v", isa, kernels.Available())
	}
	c := w.Config
	h, f := c.HiddenSize, c.IntermediateSize
	pack := func(l model.Linear, out, in int) *kernels.Matrix {
		return kernels.Pack(model.Float32s(l.W), model.Float32s(l.B), out, in, isa)
	}
	norm := func(n model.Norm) kernels.Norm {
		return kernels.Norm{Gain: model.Float32s(n.Gain), Bias: model.Float32s(n.Bias), Eps: c.LayerNormEps}
	}
	d := &Device{
		isa:    isa,
		config: c,
		embed: kernels.Embeddings{
			Word:     model.Float32s(w.WordEmbeddings),
			Position: model.Float32s(w.PositionEmbeddings),
			Type:     model.Float32s(w.TypeEmbeddings),
			Norm:     norm(w.EmbeddingNorm),
		},
		passes: make(chan *pass, workers),
	}
	for i := range w.Layers {
		l := &w.Layers[i]
		d.layers = append(d.layers, layer{
			query:         pack(l.Query, h, h),
			keyValue:      kernels.Pack(stack(l.Key.W, l.Value.W), stack(l.Key.B, l.Value.B), 2*h, h, isa),
			output:        pack(l.Output, h, h),
			attentionNorm: norm(l.AttentionNorm),
			up:            pack(l.Up, f, h),
			down:          pack(l.Down, h, f),
			outputNorm:    norm(l.OutputNorm),
		})
	}
	if d.noHead = w.CheckHead(); d.noHead == nil {
		d.head = &kernels.Head{
			PoolerW: model.Float32s(w.Pooler.W), PoolerB: model.Float32s(w.Pooler.B),
			ClassifierW: model.Float32s(w.Classifier.W), ClassifierB: model.Float32s(w.Classifier.B),
		}
	}
	for range workers {
		d.passes <- &pass{d: d}
	}
	return d, nil
}

// Name returns "cpu".
func (d *Device) Name() string { return "cpu" }

// Passes returns the number of workers that Open was given.
func (d *Device) Passes() int { return cap(d.passes) }

// PeakFLOPS measures the floating-point operations a second of all workers
// together, each on its own registers alone.
func (d *Device) PeakFLOPS() float64 {
	rates := make([]float64, d.Passes())
	var wg sync.WaitGroup
	for i := range rates {
		wg.Go(func() { rates[i] = d.isa.PeakFLOPS(50 * time.Millisecond) })
	}
	wg.Wait()
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum
}

// Begin starts a pass over b.
func (d *Device) Begin(b *model.Batch) model.Pass {
	p := <-d.passes
	p.b, p.rows, p.keep = b, b.Tokens(), model.AllRows
	return p
}

// Close waits for the passes under way and drops the packed weights.
func (d *Device) Close() error {
	for range cap(d.passes) {
		<-d.passes
	}
	d.layers, d.head, d.embed = nil, nil, kernels.Embeddings{}
	return nil
}

// stack returns the tensors' values one after the other.
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

var _ model.Device = (*Device)(nil)
