package cpu

import (
	"fmt"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/internal/reuse"
	"github.com/minilm-metal/minilm-metal/model"
)

// pass is the run of one batch through the model. The worker's next pass reuses its memory.
// T is the number of tokens in the batch, S of sequences, R of rows that are still
// computed: T at first, and S when only [CLS] rows are left.
type pass struct {
	d       *Device
	w       *worker // the worker that leads it
	crew    *crew   // the crew that w belongs to
	job     job
	onPause func() // called at each pause; nil: the pass does not pause

	b     *model.Batch
	keep  model.Rows
	rows  int // R
	index int // number of the layer, or outside
	layer *layer
	begun time.Duration // on the leading worker's meter

	x   []float32 // R×hidden, the hidden state
	qkv values    // T×3·hidden: Q, K and V of a token side by side
	q   values    // S×hidden: Q of the [CLS] rows, in the last layer
	// R×hidden, the context: what attention writes, unless it writes the next product's
	// input directly (worker.contextInput).
	context      []float32
	contextInput kernels.Input
}

// chunks calls do for rows lo to hi, at most a chunk of them at a time.
func (p *pass) chunks(lo, hi int, do func(lo, n int)) {
	for r := lo; r < hi; r += p.d.chunk {
		do(r, min(hi-r, p.d.chunk))
	}
}

func (p *pass) Embed() {
	p.x = reuse.Slice(p.x, p.rows*p.d.config.HiddenSize)
	p.share(p.rows, (*pass).embed)
}

// embed computes rows lo to hi, which may begin and end inside a sequence.
func (p *pass) embed(w *worker, lo, hi int) {
	if p.d.project != nil {
		p.widen(w, lo, hi)
		return
	}
	h := p.d.config.HiddenSize
	begun := w.meter.now()
	p.sequences(lo, hi, func(s, first, lo, hi int) {
		p.d.variant.ISA.EmbedNorm(p.x[lo*h:hi*h], p.b.IDs[lo:hi], p.b.Types[lo:hi], lo-first, &p.d.embed)
	})
	w.meter.add(begun, outside, embedNorm, 1, embedCost(hi-lo, h))
}

// widen is embed for embeddings of another width, which it projects.
func (p *pass) widen(w *worker, lo, hi int) {
	h, e := p.d.config.HiddenSize, p.d.project.In()
	p.chunks(lo, hi, func(r, n int) {
		w.scratch = reuse.Slice(w.scratch, n*e)
		begun := w.meter.now()
		p.sequences(r, r+n, func(s, first, lo, hi int) {
			p.d.variant.ISA.EmbedNorm(w.scratch[(lo-r)*e:(hi-r)*e], p.b.IDs[lo:hi], p.b.Types[lo:hi], lo-first, &p.d.embed)
		})
		w.meter.add(begun, outside, embedNorm, 1, embedCost(n, e))
		begun = w.meter.now()
		w.embedded.Set(p.d.plain(), w.scratch, n, e, e, kernels.Keep{})
		p.d.project.Linear(p.x[r*h:][:n*h], &w.embedded, h)
		w.ran(begun, outside, gemmProject, 1, products(n, p.d.project, kernels.F32))
	})
}

// sequences calls do for each sequence that has tokens among rows lo to hi, with the range
// of these rows and the sequence's first row.
func (p *pass) sequences(lo, hi int, do func(s, first, lo, hi int)) {
	// The last sequence that begins at or before lo.
	s, _ := slices.BinarySearch(p.b.Start, int32(lo)+1)
	for s--; lo < hi; s++ {
		first, end := p.b.Bounds(s)
		end = min(end, hi)
		do(s, first, lo, end)
		lo = end
	}
}

func (p *pass) FeedForward(index int) {
	p.index, p.layer = index, &p.d.layers[index]
	p.share(p.rows, (*pass).feedForward)
}

// feedForward replaces rows lo to hi by LN(x + W2·gelu(W1·x + b1) + b2).
func (p *pass) feedForward(w *worker, lo, hi int) {
	h, f := p.d.config.HiddenSize, p.d.config.IntermediateSize
	p.chunks(lo, hi, func(r, n int) {
		x, cls := p.x[r*h:][:n*h], p.clsRows(w, r, n)
		w.scratch = reuse.Slice(w.scratch, n*h)
		p.input(w, toUp, x, n, h, kernels.Keep{Rows: cls, Channels: p.layer.upKeep})
		begun := w.meter.now()
		p.layer.up.LinearGELUTo(&w.inner, &w.in)
		w.ran(begun, p.index, gemmUp, 1, products(n, p.layer.up, p.d.variant.Format))
		if !p.d.variant.WritesInput() {
			begun = w.meter.now()
			w.inner.Narrow(kernels.Keep{Rows: cls, Channels: p.layer.downKeep})
			p.narrowed(w, begun, toDown, n, f)
		}
		p.product(w, gemmDown, p.layer.down, w.scratch, &w.inner, h)
		p.addNorm(w, outputNorm, &p.layer.outputNorm, x, n)
	})
}

func (p *pass) Hidden(dst []float32) error {
	if want := p.rows * p.d.config.HiddenSize; len(dst) != want {
		return fmt.Errorf("cpu: hidden state has %d values, dst %d", want, len(dst))
	}
	copy(dst, p.x)
	return nil
}

func (p *pass) End() {
	p.b, p.layer, p.onPause = nil, nil, nil
	p.w.meter.leave(p.begun)
	p.crew.end(p.w)
}

// input converts rows of x to w's input, for the next product.
func (p *pass) input(w *worker, k kernel, x []float32, rows, width int, keep kernels.Keep) {
	begun := w.meter.now()
	w.in.Set(p.d.variant, x, rows, width, width, keep)
	p.narrowed(w, begun, k, rows, width)
}

// narrowed adds the time since begun, in which rows were converted to a product's input, to
// the meter.
func (p *pass) narrowed(w *worker, begun time.Duration, k kernel, rows, width int) {
	if p.d.variant.Format != kernels.F32 { // in float32 the input is x itself
		w.meter.add(begun, p.index, k, 1, narrowCost(rows, width, p.d.variant.Format))
	}
}

// clsRows lists which of the given rows are [CLS] rows, the first of them being 0. The
// score is made from these rows, so Int8 keeps them more exact in products whose result is
// added to x. For Q, K and V this makes no difference.
func (p *pass) clsRows(w *worker, first, rows int) []int {
	w.cls = w.cls[:0]
	if p.keep == model.ClsRows {
		for r := range rows {
			w.cls = append(w.cls, r)
		}
		return w.cls
	}
	s, _ := slices.BinarySearch(p.b.Start, int32(first))
	for ; s < p.b.Len() && int(p.b.Start[s]) < first+rows; s++ {
		w.cls = append(w.cls, int(p.b.Start[s])-first)
	}
	return w.cls
}

// product multiplies x by a matrix.
func (p *pass) product(w *worker, k kernel, m *kernels.Matrix, dst []float32, x *kernels.Input, stride int) {
	begun := w.meter.now()
	m.Linear(dst, x, stride)
	w.ran(begun, p.index, k, 1, products(x.Len(), m, p.d.variant.Format))
}

// addNorm replaces rows of x by the LayerNorm of their sum with w's last product.
func (p *pass) addNorm(w *worker, k kernel, n *kernels.Norm, x []float32, rows int) {
	begun := w.meter.now()
	p.d.variant.ISA.AddNorm(x, w.scratch, n, rows)
	w.meter.add(begun, p.index, k, 1, normCost(rows, len(n.Gain)))
}

// keepCls moves the first row of each sequence to the front of x. It can work in place,
// because row s never moves backwards.
func (p *pass) keepCls() {
	h := p.d.config.HiddenSize
	for s := range p.b.Len() {
		lo, _ := p.b.Bounds(s)
		copy(p.x[s*h:][:h], p.x[lo*h:])
	}
	p.rows, p.keep = p.b.Len(), model.ClsRows
}
