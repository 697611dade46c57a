package cpu

import (
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/internal/reuse"
	"github.com/minilm-metal/minilm-metal/model"
)

// values are rows that attention reads, in the format that it reads them in: narrow is
// bfloat16, wide float32. Where products cannot be written as bfloat16 directly, they are
// in wide first.
type values struct {
	wide   []float32
	narrow []uint16
}

// grow makes room in v for n values.
func (p *pass) grow(v *values, n int) {
	if p.d.attendsBF16 {
		v.narrow = reuse.Slice(v.narrow, n)
	}
	if !p.d.projectsBF16 {
		v.wide = reuse.Slice(v.wide, n)
	}
}

func (p *pass) Attention(index int, keep model.Rows) {
	h, tokens := p.d.config.HiddenSize, p.b.Tokens()
	p.index, p.layer = index, &p.d.layers[index]
	p.grow(&p.qkv, tokens*3*h)
	if keep == model.AllRows {
		p.share(tokens, (*pass).project)
	} else {
		// K and V of every token, Q of the [CLS] rows only.
		p.share(tokens, (*pass).projectKeyValue)
		p.keepCls()
		p.grow(&p.q, p.rows*h)
		p.share(p.rows, (*pass).projectCls)
	}
	if p.d.attendsInput {
		p.contextInput.Room(p.d.variant, p.rows, h)
	} else {
		p.context = reuse.Slice(p.context, p.rows*h)
	}
	p.share(p.rows, (*pass).attend)
}

// project computes Q, K and V of rows lo to hi.
func (p *pass) project(w *worker, lo, hi int) {
	h := p.d.config.HiddenSize
	p.chunks(lo, hi, func(r, n int) {
		p.input(w, toAttention, p.x[r*h:], n, h, kernels.Keep{Channels: p.layer.attentionKeep})
		p.projectBy(w, gemmQ, p.layer.query, &p.qkv, r*3*h, 3*h)
		p.projectBy(w, gemmKV, p.layer.keyValue, &p.qkv, r*3*h+h, 3*h)
		p.round(w, &p.qkv, r*3*h, n, 3*h, 3*h)
	})
}

// projectKeyValue computes K and V of rows lo to hi.
func (p *pass) projectKeyValue(w *worker, lo, hi int) {
	h := p.d.config.HiddenSize
	p.chunks(lo, hi, func(r, n int) {
		p.input(w, toAttention, p.x[r*h:], n, h, kernels.Keep{Channels: p.layer.attentionKeep})
		p.projectBy(w, gemmKV, p.layer.keyValue, &p.qkv, r*3*h+h, 3*h)
		p.round(w, &p.qkv, r*3*h+h, n, 2*h, 3*h)
	})
}

// projectCls computes Q of the [CLS] rows lo to hi.
func (p *pass) projectCls(w *worker, lo, hi int) {
	h := p.d.config.HiddenSize
	p.chunks(lo, hi, func(r, n int) {
		p.input(w, toAttention, p.x[r*h:], n, h, kernels.Keep{Channels: p.layer.attentionKeep})
		p.projectBy(w, gemmQ, p.layer.query, &p.q, r*h, h)
		p.round(w, &p.q, r*h, n, h, h)
	})
}

// attend replaces rows lo to hi by LN(x + Wo·softmax(QKᵀ/√d)V + bo).
func (p *pass) attend(w *worker, lo, hi int) {
	h := p.d.config.HiddenSize
	if p.keep == model.AllRows {
		p.sequences(lo, hi, func(s, _, lo, hi int) { p.heads(w, s, lo, hi-lo, &p.qkv, lo*3*h, 3*h) })
	} else {
		for s := lo; s < hi; s++ {
			p.heads(w, s, s, 1, &p.q, s*h, h)
		}
	}
	p.chunks(lo, hi, func(r, n int) {
		w.scratch = reuse.Slice(w.scratch, n*h)
		x := &w.in
		if p.d.attendsInput {
			x = &w.contextInput
			x.View(&p.contextInput, r, n)
		} else {
			p.input(w, toAttention, p.context[r*h:], n, h, kernels.Keep{Rows: p.clsRows(w, r, n)})
		}
		p.product(w, gemmOutput, p.layer.output, w.scratch, x, h)
		p.addNorm(w, attentionNorm, &p.layer.attentionNorm, p.x[r*h:], n)
	})
}

// heads computes softmax(QKᵀ/√d)V for some queries of sequence s and writes the results to
// the context, from row on. The queries are in q, from at on.
func (p *pass) heads(w *worker, s, row, queries int, q *values, at, stride int) {
	d, isa, h := p.d, p.d.variant.ISA, p.d.config.HiddenSize
	lo, hi := p.b.Bounds(s)
	keys, k, v := hi-lo, lo*3*h+h, lo*3*h+2*h
	begun := w.meter.now()
	switch {
	case d.attendsTiles:
		w.scores = reuse.Slice(w.scores, kernels.AttentionTilesScratch(keys, d.heads))
		qs, ks, vs := q.narrow[at:], p.qkv.narrow[k:], p.qkv.narrow[v:]
		if d.attendsInput {
			isa.AttentionTilesTo(&p.contextInput, row, qs, ks, vs, queries, keys, stride, 3*h, d.heads, w.scores)
		} else {
			isa.AttentionTiles(p.context[row*h:], qs, ks, vs, queries, keys, stride, 3*h, d.heads, w.scores)
		}
	case d.attendsBF16:
		w.scores = reuse.Slice(w.scores, isa.AttentionScratch(keys, d.heads))
		isa.AttentionBF16(p.context[row*h:], q.narrow[at:], p.qkv.narrow[k:], p.qkv.narrow[v:], queries, keys, stride, 3*h, d.heads, w.scores)
	default:
		w.scores = reuse.Slice(w.scores, isa.AttentionScratch(keys, d.heads))
		isa.Attention(p.context[row*h:], q.wide[at:], p.qkv.wide[k:], p.qkv.wide[v:], queries, keys, stride, 3*h, d.heads, w.scores)
	}
	w.ran(begun, p.index, attention, 1, attentionCost(queries, keys, h))
}

// projectBy multiplies w's input by a matrix and writes the result to v, from at on, its
// rows stride apart: in the format that attention reads, or in float32 for round to
// convert.
func (p *pass) projectBy(w *worker, k kernel, m *kernels.Matrix, v *values, at, stride int) {
	if !p.d.projectsBF16 {
		p.product(w, k, m, v.wide[at:], &w.in, stride)
		return
	}
	begun := w.meter.now()
	m.LinearBF16(v.narrow[at:], &w.in, stride)
	w.ran(begun, p.index, k, 1, products(w.in.Len(), m, p.d.variant.Format))
}

// round converts width values of each row to the format that attention reads. The rows
// start at at and are stride apart. It does nothing if the products were written in that
// format.
func (p *pass) round(w *worker, v *values, at, rows, width, stride int) {
	if !p.d.attendsBF16 || p.d.projectsBF16 {
		return
	}
	begun := w.meter.now()
	for r := range rows {
		row := at + r*stride
		p.d.variant.ISA.RoundBF16(v.narrow[row:row+width], v.wide[row:row+width])
	}
	w.meter.add(begun, p.index, toHeads, 1, narrowCost(rows, width, kernels.BF16))
}
