package cpu

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
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
	q       []float32 // S×hidden: Q of the [CLS] rows alone
	context []float32 // R×hidden, what the heads found
	up      []float32 // feedForwardRows×intermediate
	scratch []float32 // what a product's kernel wants
	scores  []float32 // what attention wants for the longest sequence
}

// feedForwardRows is how many rows go through the feed-forward block at a
// time, so that its wide inner activations stay in the L2 cache: 96 rows of
// 1536 are 576 KB, and no tile's height leaves a rest.
const feedForwardRows = 96

func (p *pass) Embed() {
	h := p.d.config.HiddenSize
	p.x = grow(p.x, p.rows*h)
	for s := range p.b.Len() {
		lo, hi := p.b.Bounds(s)
		p.d.isa.EmbedNorm(p.x[lo*h:hi*h], p.b.IDs[lo:hi], p.b.Types[lo:hi], &p.d.embed)
	}
}

func (p *pass) Attention(index int, keep model.Rows) {
	l, h, tokens := &p.d.layers[index], p.d.config.HiddenSize, p.b.Tokens()
	heads := kernels.Heads{Count: p.d.config.Heads, Size: p.d.config.HeadSize()}
	p.scores = grow(p.scores, p.d.isa.AttentionScratch(p.b.Longest(), heads))
	p.qkv = grow(p.qkv, tokens*3*h)
	p.context = grow(p.context, p.rows*h)

	if keep == model.AllRows {
		l.query.Linear(p.qkv, p.x, tokens, 3*h, h)
		l.keyValue.Linear(p.qkv[h:], p.x, tokens, 3*h, h)
		for s := range p.b.Len() {
			lo, hi := p.b.Bounds(s)
			q, k, v := p.qkv[lo*3*h:], p.qkv[lo*3*h+h:], p.qkv[lo*3*h+2*h:]
			p.d.isa.Attention(p.context[lo*h:], q, k, v, hi-lo, hi-lo, 3*h, 3*h, heads, p.scores)
		}
	} else {
		// K and V of every token, Q of the [CLS] rows alone.
		l.keyValue.Linear(p.qkv, p.x, tokens, 2*h, h)
		p.keepCls()
		p.q = grow(p.q, p.rows*h)
		l.query.Linear(p.q, p.x, p.rows, h, h)
		for s := range p.b.Len() {
			lo, hi := p.b.Bounds(s)
			k, v := p.qkv[lo*2*h:], p.qkv[lo*2*h+h:]
			p.d.isa.Attention(p.context[s*h:], p.q[s*h:], k, v, 1, hi-lo, h, 2*h, heads, p.scores)
		}
	}
	p.scratch = grow(p.scratch, l.output.Scratch(p.rows))
	l.output.LinearAddNorm(p.x, p.context, p.rows, &l.attentionNorm, p.scratch)
}

func (p *pass) FeedForward(index int) {
	l, h, f := &p.d.layers[index], p.d.config.HiddenSize, p.d.config.IntermediateSize
	p.up = grow(p.up, min(p.rows, feedForwardRows)*f)
	p.scratch = grow(p.scratch, l.down.Scratch(min(p.rows, feedForwardRows)))
	for r := 0; r < p.rows; r += feedForwardRows {
		n := min(p.rows-r, feedForwardRows)
		x := p.x[r*h:][:n*h]
		l.up.LinearGELU(p.up, x, n, f, h)
		l.down.LinearAddNorm(x, p.up, n, &l.outputNorm, p.scratch)
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
	p.q = grow(p.q, p.rows*p.d.config.HiddenSize)
	p.d.head.Score(scores, p.x, p.q, p.rows)
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
