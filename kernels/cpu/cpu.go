// Package cpu is the device that runs a model's blocks on the processor's own
// cores: one pass on one core, with package kernels' arithmetic in float32.
package cpu

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// Device holds the weights in the layout that the kernels read. Everything but
// Q, K and V, which become one matrix, stays where model.Weights has it.
type Device struct {
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
	qkvW, qkvB    []float32 // 3h×h, 3h: Wq over Wk over Wv
	outW, outB    []float32 // h×h, h
	attentionNorm kernels.Norm
	upW, upB      []float32 // f×h, f
	downW, downB  []float32 // h×f, h
	outputNorm    kernels.Norm
}

// Open packs w for workers passes at the same time. The weights stay the
// caller's and must outlive the device.
func Open(w *model.Weights, workers int) (*Device, error) {
	if workers < 1 {
		return nil, fmt.Errorf("cpu: %d workers, want at least 1", workers)
	}
	c := w.Config
	norm := func(n model.Norm) kernels.Norm {
		return kernels.Norm{Gain: model.Float32s(n.Gain), Bias: model.Float32s(n.Bias), Eps: c.LayerNormEps}
	}
	d := &Device{
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
			qkvW:          stack(l.Query.W, l.Key.W, l.Value.W),
			qkvB:          stack(l.Query.B, l.Key.B, l.Value.B),
			outW:          model.Float32s(l.Output.W),
			outB:          model.Float32s(l.Output.B),
			attentionNorm: norm(l.AttentionNorm),
			upW:           model.Float32s(l.Up.W),
			upB:           model.Float32s(l.Up.B),
			downW:         model.Float32s(l.Down.W),
			downB:         model.Float32s(l.Down.B),
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

var _ model.Device = (*Device)(nil)
