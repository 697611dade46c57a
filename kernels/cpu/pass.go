package cpu

import (
	"fmt"
	"slices"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// pass is one batch on its way, and the memory that the next one will reuse.
// T is the batch's tokens, S its sequences, R the live rows: T, then S once
// only [CLS] rows are kept.
type pass struct {
	d       *Device
	w       *worker // who leads it
	helpers []*worker
	ended   chan any // what a helper's part panicked with, nil mostly

	b     *model.Batch
	keep  model.Rows
	rows  int // R
	layer *layer

	x       []float32 // R×hidden, the hidden state
	qkv     []float32 // T×3·hidden: Q, K and V of a token side by side
	q       []float32 // S×hidden: Q of the [CLS] rows alone
	context []float32 // R×hidden, what the heads found
}

// chunk is how many rows go through a block's products at a time, so that what
// lies between two of them stays in the L2 cache: 96 rows of 1536 are 576 KB,
// and no tile's height leaves a rest.
const chunk = 96

// chunks calls do for rows lo to hi, at most chunk at a time.
func chunks(lo, hi int, do func(lo, n int)) {
	for r := lo; r < hi; r += chunk {
		do(r, min(hi-r, chunk))
	}
}

func (p *pass) Embed() {
	p.x = grow(p.x, p.rows*p.d.config.HiddenSize)
	p.share(p.rows, (*pass).embed)
}

// embed does rows lo to hi, which begin and end anywhere in a sequence.
func (p *pass) embed(_ *worker, lo, hi int) {
	h := p.d.config.HiddenSize
	p.sequences(lo, hi, func(s, first, lo, hi int) {
		p.d.variant.ISA.EmbedNorm(p.x[lo*h:hi*h], p.b.IDs[lo:hi], p.b.Types[lo:hi], lo-first, &p.d.embed)
	})
}

// sequences calls do for each sequence that rows lo to hi of all tokens have a
// part of, with that part and the sequence's first row.
func (p *pass) sequences(lo, hi int, do func(s, first, lo, hi int)) {
	// The last sequence that begins at lo or before it.
	s, _ := slices.BinarySearch(p.b.Start, int32(lo)+1)
	for s--; lo < hi; s++ {
		first, end := p.b.Bounds(s)
		end = min(end, hi)
		do(s, first, lo, end)
		lo = end
	}
}

func (p *pass) Attention(index int, keep model.Rows) {
	h, tokens := p.d.config.HiddenSize, p.b.Tokens()
	p.layer = &p.d.layers[index]
	p.qkv = grow(p.qkv, tokens*3*h)
	if keep == model.AllRows {
		p.share(tokens, (*pass).project)
	} else {
		// K and V of every token, Q of the [CLS] rows alone.
		p.share(tokens, (*pass).projectKeyValue)
		p.keepCls()
		p.q = grow(p.q, p.rows*h)
		p.share(p.rows, (*pass).projectCls)
	}
	p.context = grow(p.context, p.rows*h)
	p.share(p.rows, (*pass).attend)
}

// project computes Q, K and V.
func (p *pass) project(w *worker, lo, hi int) {
	h := p.d.config.HiddenSize
	chunks(lo, hi, func(r, n int) {
		w.in.Set(p.d.variant, p.x[r*h:], n, h, h)
		p.layer.query.Linear(p.qkv[r*3*h:], &w.in, 3*h)
		p.layer.keyValue.Linear(p.qkv[r*3*h+h:], &w.in, 3*h)
	})
}

// projectKeyValue computes K and V.
func (p *pass) projectKeyValue(w *worker, lo, hi int) {
	h := p.d.config.HiddenSize
	chunks(lo, hi, func(r, n int) {
		w.in.Set(p.d.variant, p.x[r*h:], n, h, h)
		p.layer.keyValue.Linear(p.qkv[r*3*h+h:], &w.in, 3*h)
	})
}

// projectCls computes Q of the rows that are left.
func (p *pass) projectCls(w *worker, lo, hi int) {
	h := p.d.config.HiddenSize
	chunks(lo, hi, func(r, n int) {
		w.in.Set(p.d.variant, p.x[r*h:], n, h, h)
		p.layer.query.Linear(p.q[r*h:], &w.in, h)
	})
}

// attend replaces rows by LN(x + Wo·softmax(QKᵀ/√d)V + bo).
func (p *pass) attend(w *worker, lo, hi int) {
	h := p.d.config.HiddenSize
	heads := kernels.Heads{Count: p.d.config.Heads, Size: p.d.config.HeadSize()}
	w.scores = grow(w.scores, p.d.variant.ISA.AttentionScratch(p.b.Longest(), heads))
	attention := func(dst, q []float32, s, queries, qs int) {
		first, end := p.b.Bounds(s)
		k, v := p.qkv[first*3*h+h:], p.qkv[first*3*h+2*h:]
		p.d.variant.ISA.Attention(dst, q, k, v, queries, end-first, qs, 3*h, heads, w.scores)
	}
	if p.keep == model.AllRows {
		p.sequences(lo, hi, func(s, _, lo, hi int) { attention(p.context[lo*h:], p.qkv[lo*3*h:], s, hi-lo, 3*h) })
	} else {
		for s := lo; s < hi; s++ {
			attention(p.context[s*h:], p.q[s*h:], s, 1, h)
		}
	}
	output := p.layer.output
	chunks(lo, hi, func(r, n int) {
		w.in.Set(p.d.variant, p.context[r*h:], n, h, h)
		w.scratch = grow(w.scratch, output.Scratch(n))
		output.LinearAddNorm(p.x[r*h:], &w.in, &p.layer.attentionNorm, w.scratch)
	})
}

func (p *pass) FeedForward(index int) {
	p.layer = &p.d.layers[index]
	p.share(p.rows, (*pass).feedForward)
}

// feedForward replaces rows by LN(x + W2·gelu(W1·x + b1) + b2).
func (p *pass) feedForward(w *worker, lo, hi int) {
	h, f := p.d.config.HiddenSize, p.d.config.IntermediateSize
	up, down := p.layer.up, p.layer.down
	chunks(lo, hi, func(r, n int) {
		x := p.x[r*h:][:n*h]
		w.up = grow(w.up, n*f)
		w.scratch = grow(w.scratch, down.Scratch(n))
		w.in.Set(p.d.variant, x, n, h, h)
		up.LinearGELU(w.up, &w.in, f)
		w.in.Set(p.d.variant, w.up, n, f, f)
		down.LinearAddNorm(x, &w.in, &p.layer.outputNorm, w.scratch)
	})
}

func (p *pass) Hidden(dst []float32) error {
	if want := p.rows * p.d.config.HiddenSize; len(dst) != want {
		return fmt.Errorf("cpu: hidden state has %d values, dst %d", want, len(dst))
	}
	copy(dst, p.x)
	return nil
}

func (p *pass) Classify(scores []float32) error {
	if p.d.noHead != nil {
		return p.d.noHead
	}
	if len(scores) != p.b.Len() {
		return fmt.Errorf("cpu: batch has %d sequences, scores %d", p.b.Len(), len(scores))
	}
	if p.keep == model.AllRows {
		p.keepCls()
	}
	h := p.d.config.HiddenSize
	p.q = grow(p.q, p.rows*h)
	p.w.in.Set(p.d.plain(), p.x, p.rows, h, h)
	p.d.head.Score(scores, &p.w.in, p.q)
	return nil
}

func (p *pass) End() {
	p.b, p.layer = nil, nil
	p.d.free <- p.w
}

// keepCls moves each sequence's first row to the front of x, in place: row s
// never lies behind the row that it comes from.
func (p *pass) keepCls() {
	h := p.d.config.HiddenSize
	for s := range p.b.Len() {
		lo, _ := p.b.Bounds(s)
		copy(p.x[s*h:][:h], p.x[lo*h:])
	}
	p.rows, p.keep = p.b.Len(), model.ClsRows
}

// grow returns a slice of length n, s's memory where it is large enough. What
// is in it is garbage.
func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
