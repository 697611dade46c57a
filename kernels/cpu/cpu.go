// Package cpu is the device that runs a model's blocks on the processor's cores. Its
// arithmetic is that of package kernels, in the variant that it is opened with.
//
// A pass runs on one worker. If other workers are free, for example because there is only
// one sequence, the pass borrows them, block by block, and they share its rows. Rows do not
// depend on each other, so the result is the same, bit for bit, whoever computes them. An
// urgent pass gets the help of all workers, also of those whose own passes pause for it.
//
// A pass ends with what is pooled. Head makes results of that, whichever device it is from.
package cpu

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// Device holds the weights in the layout that the kernels read.
type Device struct {
	variant kernels.Variant
	config  model.Config
	heads   kernels.Heads
	// attendsBF16 says that attention multiplies in bfloat16: where the device's other
	// products are not float32 and the processor can do it.
	attendsBF16 bool
	// projectsBF16 says that the products Q, K and V are written as bfloat16 directly.
	projectsBF16 bool
	// attendsTiles says that attention runs on tiles; attendsInput says that it writes the
	// next product's input directly.
	attendsTiles, attendsInput bool
	chunk                      int // how many rows go through a block's products together

	embed kernels.Embeddings
	// project makes the hidden state of embeddings of another width; nil if theirs is the same.
	// It is float32 in every variant: it is a small part of the work, and every value depends
	// on it.
	project *kernels.Matrix
	layers  []layer

	ordinary crew // the workers that lead normal passes; free ones help other passes
	urgent   crew
	helpers  atomic.Int64 // how many ordinary workers help another's pass
	standing atomic.Int64 // how many passes pause, so that their workers help urgent ones
	waiting  atomic.Int64 // how many passes wait for a worker
	meters   sync.Mutex   // held while the workers' meters are changed
}

// Open packs w for a variant, which this processor must be able to run. workers is how many
// passes run at the same time. The weights still belong to the caller and must outlive the
// device, unless it is detached: it reads the embeddings and norms in place, and with
// kernels.Generic in float32 all weights.
func Open(w *model.Weights, workers int, v kernels.Variant) (*Device, error) {
	if workers < 1 {
		return nil, fmt.Errorf("cpu: %d workers, want at least 1", workers)
	}
	if err := v.Check(); err != nil {
		return nil, fmt.Errorf("cpu: %w", err)
	}
	c := w.Config
	h, f := c.HiddenSize, c.IntermediateSize
	if v.Format == kernels.Int8 && max(h, f) > kernels.MostInt8 {
		return nil, fmt.Errorf("cpu: sums of %d products overflow in int8, %d do not", max(h, f), kernels.MostInt8)
	}
	if v.Format == kernels.F16 {
		if err := checkF16(w); err != nil {
			return nil, err
		}
	}
	d := &Device{
		variant: v,
		config:  c,
		heads:   kernels.Heads{Count: c.Heads, Size: c.HeadSize()},
		embed: kernels.Embeddings{
			Word:     model.Float32s(w.WordEmbeddings),
			Position: model.Float32s(w.PositionEmbeddings),
			Type:     model.Float32s(w.TypeEmbeddings),
			Norm:     norm(w, w.EmbeddingNorm),
		},
	}
	if p := w.Projection; p != nil {
		// Copies, because Pack may keep what it is given, and the file may change.
		d.project = kernels.Pack(slices.Clone(model.Float32s(p.W)), slices.Clone(p.Bias()), h, p.W.Shape()[1], d.plain(), kernels.Inputs{})
	}
	d.attendsBF16 = (v.Format == kernels.BF16 || v.Format == kernels.Int8) && v.ISA.AttendsBF16(d.heads)
	d.attendsTiles = d.attendsBF16 && v.ISA.AttendsTiles(d.heads)
	d.attendsInput = d.attendsTiles && v.WritesInput()
	d.projectsBF16 = d.attendsBF16 && v.WritesBF16()
	d.chunk = chunkRows(v, h, f)
	d.layers = make([]layer, len(w.Layers))
	of := make([]inputs, len(w.Layers))
	if v.Format == kernels.Int8 {
		of = expected(w)
	}
	atOnce(len(w.Layers), workers, func(i int) { d.layers[i] = d.pack(w, i, of[i]) })
	d.ordinary.fill(d, workers)
	d.urgent.fill(d, workers)
	return d, nil
}

// plain is the variant of products that are float32 in every variant.
func (d *Device) plain() kernels.Variant {
	return kernels.Variant{ISA: d.variant.ISA, Format: kernels.F32}
}

// Name returns "cpu".
func (d *Device) Name() string { return "cpu" }

// Passes returns how many passes run at the same time: the workers that Open was given.
func (d *Device) Passes() int { return len(d.ordinary.workers) }

// PassTokens returns the sizes that suit a pass. Smaller passes make a new call wait less, and
// they are not slower: on Zen 4, passes of 384 tokens had 1.00 (float32), 0.99 (bfloat16) and
// 1.00 (int8) of the speed of passes of 1024, and passes of 192 tokens 0.98 to 1.03. On AMX,
// passes of 768 and 1024 tokens had 0.98 and 0.97 of the speed of those of 384 in bfloat16, and
// 1.00 and 0.94 in int8 (medians of 6 turns, on a busy machine).
func (d *Device) PassTokens() (fewest, most int) { return 96, 384 }

// PeakFLOPS measures the floating-point operations a second of all workers together, each
// computing in its registers only.
func (d *Device) PeakFLOPS() float64 {
	rates := make([]float64, d.Passes())
	var wg sync.WaitGroup
	for i := range rates {
		wg.Go(func() { rates[i] = d.variant.PeakFLOPS(50 * time.Millisecond) })
	}
	wg.Wait()
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum
}

// Begin starts a pass over b. If all workers are busy, it waits until one that only helps
// another pass is free. It also waits while TimeKernels changes what is timed.
func (d *Device) Begin(b *model.Batch) (model.Pass, error) {
	if err := d.ordinary.begin(); err != nil {
		return nil, err
	}
	return d.take().start(b), nil
}

// Close waits for the passes under way and releases the packed weights.
func (d *Device) Close() error {
	for range d.Passes() {
		d.take()
	}
	for range d.Passes() {
		<-d.urgent.free
	}
	d.layers, d.embed, d.project = nil, kernels.Embeddings{}, nil
	return nil
}

var _ model.Device = (*Device)(nil)
