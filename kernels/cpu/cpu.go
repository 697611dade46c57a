// Package cpu is the device that runs a model's blocks on the processor's own
// cores, with package kernels' arithmetic in the variant that it is opened with.
//
// A pass runs on one worker. Where other workers are free, as when there is one
// sequence alone, it borrows them block by block and shares out the rows, which do
// not depend on each other: what a row becomes is the same bit for bit, whoever
// computes it. An urgent pass has them all: those of passes that pause, too.
package cpu

import (
	"fmt"
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
	// attendsBF16 says that attention's products are bfloat16: where the others are
	// not float32 and the processor has it.
	attendsBF16 bool
	// projectsBF16 says that Q, K and V are written in bfloat16 at once.
	projectsBF16 bool
	// attendsTiles says that attention is on tiles, attendsInput that it writes what
	// the next product reads.
	attendsTiles, attendsInput bool
	chunk                      int // rows that go through a block's products at a time

	embed  kernels.Embeddings
	layers []layer
	head   *kernels.Head
	noHead error // why there is no head

	ordinary crew // whose workers help others, too, where they are free
	urgent   crew
	helpers  atomic.Int64 // of the ordinary workers, those that help others
	standing atomic.Int64 // passes that stand still, and whose workers help urgent ones
	waiting  atomic.Int64 // passes that wait for a worker
	meters   sync.Mutex   // held by who changes the workers' meters
}

// Open packs w for a variant, which this processor must run, and for a number of
// workers, which is how many passes run at the same time. The weights stay the
// caller's and must outlive the device, which reads the embeddings, and with
// kernels.Generic in float32 everything, in place, until it is detached.
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
	if d.noHead = w.CheckHead(); d.noHead == nil {
		d.head = &kernels.Head{
			Pooler:      kernels.Pack(model.Float32s(w.Pooler.W), model.Float32s(w.Pooler.B), h, h, d.plain(), nil),
			ClassifierW: model.Float32s(w.Classifier.W), ClassifierB: model.Float32s(w.Classifier.B),
		}
	}
	d.ordinary.fill(d, workers)
	d.urgent.fill(d, workers)
	return d, nil
}

// plain is the variant of what is float32 at every precision.
func (d *Device) plain() kernels.Variant {
	return kernels.Variant{ISA: d.variant.ISA, Format: kernels.F32}
}

// Name returns "cpu".
func (d *Device) Name() string { return "cpu" }

// Passes returns the number of workers that Open was given.
func (d *Device) Passes() int { return len(d.ordinary.workers) }

// PassTokens says that a pass is worth it from a chunk of rows on, and has enough with
// four: whoever comes waits less for small passes, and on Zen 4 those of 384 tokens were
// within 1.1 % of those of 1024 (float32 1.00, bfloat16 0.99, int8 1.00; of 192, 0.98 to
// 1.03).
func (d *Device) PassTokens() (fewest, most int) { return 96, 384 }

// PeakFLOPS measures the floating-point operations a second of all workers
// together, each on its own registers alone.
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

// Begin starts a pass over b. It waits for a worker that helps another pass to make
// way, and while TimeKernels changes what is timed.
func (d *Device) Begin(b *model.Batch) (model.Pass, error) {
	if err := d.ordinary.begin(); err != nil {
		return nil, err
	}
	return d.take().start(b), nil
}

// Close waits for the passes under way and drops the packed weights.
func (d *Device) Close() error {
	for range d.Passes() {
		d.take()
	}
	for range d.Passes() {
		<-d.urgent.free
	}
	d.layers, d.head, d.embed = nil, nil, kernels.Embeddings{}
	return nil
}

var _ model.Device = (*Device)(nil)
