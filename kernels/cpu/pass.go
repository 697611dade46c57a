package cpu

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
	"gorgonia.org/tensor"
)

// pass is one batch on its way, and the memory that the next one will reuse.
// T is the batch's tokens, S its sequences, R the live rows: T, then S once
// only [CLS] rows are kept.
type pass struct {
	d    *Device
	b    *model.Batch
	keep model.Rows
	rows int // R

	x       []float32 // R×hidden, the hidden state
	qkv     []float32 // T×3·hidden: Q, K and V of a token side by side
	context []float32 // R×hidden, what the heads found
	out     []float32 // R×hidden, what is added to x
	up      []float32 // feedForwardRows×intermediate
	scores  []float32 // as many as the longest sequence has tokens
}

// feedForwardRows is how many rows go through the feed-forward block at a
// time, so that its wide inner activations stay in the L2 cache (64 rows of
// 1536 are 384 KB).
const feedForwardRows = 64

func (p *pass) Embed() {
	h := p.d.config.HiddenSize
	p.x = grow(p.x, p.rows*h)
	for s := range p.b.Len() {
		lo, hi := p.b.Bounds(s)
		kernels.EmbedNorm(p.x[lo*h:], p.b.IDs[lo:hi], p.b.Types[lo:hi], &p.d.embed)
	}
}

func (p *pass) Attention(index int, keep model.Rows) {
	l, h, tokens := &p.d.layers[index], p.d.config.HiddenSize, p.b.Tokens()
	heads := kernels.Heads{Count: p.d.config.Heads, Size: p.d.config.HeadSize()}
	p.scores = grow(p.scores, p.b.Longest())
	p.qkv = grow(p.qkv, tokens*3*h)
	p.context = grow(p.context, p.rows*h)

	if keep == model.AllRows {
		kernels.Linear(p.qkv, p.x, l.qkvW, l.qkvB, tokens, h, 3*h)
		for s := range p.b.Len() {
			lo, hi := p.b.Bounds(s)
			q, k, v := p.qkv[lo*3*h:], p.qkv[lo*3*h+h:], p.qkv[lo*3*h+2*h:]
			kernels.Attention(p.context[lo*h:], q, k, v, hi-lo, hi-lo, 3*h, 3*h, heads, p.scores)
		}
	} else {
		// K and V of every token, Q of the [CLS] rows alone.
		kernels.Linear(p.qkv, p.x, l.qkvW[h*h:], l.qkvB[h:], tokens, h, 2*h)
		p.keepCls()
		p.out = grow(p.out, p.rows*h)
		kernels.Linear(p.out, p.x, l.qkvW, l.qkvB, p.rows, h, h)
		for s := range p.b.Len() {
			lo, hi := p.b.Bounds(s)
			k, v := p.qkv[lo*2*h:], p.qkv[lo*2*h+h:]
			kernels.Attention(p.context[s*h:], p.out[s*h:], k, v, 1, hi-lo, h, 2*h, heads, p.scores)
		}
	}
	p.out = grow(p.out, p.rows*h)
	kernels.Linear(p.out, p.context, l.outW, l.outB, p.rows, h, h)
	kernels.AddNorm(p.x, p.out, &l.attentionNorm, p.rows)
}

func (p *pass) FeedForward(index int) {
	l, h, f := &p.d.layers[index], p.d.config.HiddenSize, p.d.config.IntermediateSize
	p.up = grow(p.up, min(p.rows, feedForwardRows)*f)
	p.out = grow(p.out, min(p.rows, feedForwardRows)*h)
	for r := 0; r < p.rows; r += feedForwardRows {
		n := min(p.rows-r, feedForwardRows)
		x := p.x[r*h:][:n*h]
		kernels.Linear(p.up, x, l.upW, l.upB, n, h, f)
		kernels.GELU(p.up[:n*f])
		kernels.Linear(p.out, p.up, l.downW, l.downB, n, f, h)
		kernels.AddNorm(x, p.out, &l.outputNorm, n)
	}
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
	p.out = grow(p.out, p.rows*p.d.config.HiddenSize)
	p.d.head.Score(scores, p.x, p.out, p.rows)
	return nil
}

func (p *pass) End() {
	p.b = nil
	p.d.passes <- p
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
