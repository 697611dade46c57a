package model

import (
	"fmt"
	"math"
	"slices"
)

// Reference is the encoder in plain Go, with values and sums in float64, written to be read
// next to the paper. Tests compare every device with it. It is about ten times slower than
// a CPU device.
type Reference struct {
	w     *Weights
	slots chan struct{}
}

// NewReference returns the reference device for w, which still belongs to the caller. It
// runs up to passes passes at the same time, at least one.
func NewReference(w *Weights, passes int) *Reference {
	return &Reference{w, make(chan struct{}, max(passes, 1))}
}

// Name returns "reference".
func (r *Reference) Name() string { return "reference" }

// Passes returns how many passes run at the same time.
func (r *Reference) Passes() int { return cap(r.slots) }

// Close does nothing: the weights belong to the caller.
func (r *Reference) Close() error { return nil }

// Begin starts a pass over b.
func (r *Reference) Begin(b *Batch) (Pass, error) {
	select {
	case r.slots <- struct{}{}:
		return &ReferencePass{device: r, w: r.w, b: b, rows: b.Tokens(), keep: AllRows}, nil
	default:
		return nil, ErrBusy
	}
}

// ReferencePass is a pass whose hidden state can be read in float64.
type ReferencePass struct {
	device *Reference
	w      *Weights
	b      *Batch
	keep   Rows
	rows   int       // number of rows of x in use: T, then S
	x      []float64 // rows×hidden
}

func (p *ReferencePass) Embed() {
	h := p.w.Config.embedding()
	word, position, typ := Float32s(p.w.WordEmbeddings), Float32s(p.w.PositionEmbeddings), Float32s(p.w.TypeEmbeddings)
	p.x = make([]float64, p.rows*h)
	for s := range p.b.Len() {
		lo, hi := p.b.Bounds(s)
		for t := lo; t < hi; t++ {
			id, pos, ty := int(p.b.IDs[t]), t-lo, int(p.b.Types[t])
			for i := range h {
				p.x[t*h+i] = float64(word[id*h+i]) + float64(position[pos*h+i]) + float64(typ[ty*h+i])
			}
		}
	}
	p.norm(p.w.EmbeddingNorm)
	if p.w.Projection != nil {
		p.x = apply(*p.w.Projection, p.x)
	}
}

func (p *ReferencePass) Attention(layer int, keep Rows) {
	l, h, d := &p.w.Layers[layer], p.w.Config.HiddenSize, p.w.Config.HeadSize()
	k, v := apply(l.Key, p.x), apply(l.Value, p.x)
	if keep == ClsRows {
		p.keepCls()
	}
	q := apply(l.Query, p.x)
	context := make([]float64, len(q))
	for s := range p.b.Len() {
		lo, hi := p.b.Bounds(s)
		first, last := lo, hi
		if keep == ClsRows {
			first, last = s, s+1
		}
		for head := range p.w.Config.Heads {
			at := func(m []float64, t int) []float64 { return m[t*h+head*d:][:d] }
			for i := first; i < last; i++ {
				weights := make([]float64, hi-lo)
				for j := range weights {
					weights[j] = dot(at(q, i), at(k, lo+j)) / math.Sqrt(float64(d))
				}
				softmax(weights)
				for j, weight := range weights {
					for c, value := range at(v, lo+j) {
						at(context, i)[c] += weight * value
					}
				}
			}
		}
	}
	p.add(apply(l.Output, context))
	p.norm(l.AttentionNorm)
}

// GELU returns x/2·(1 + erf(x/√2)), the function in the feed-forward block (Hendrycks and
// Gimpel 2016, arXiv:1606.08415).
func GELU(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }

func (p *ReferencePass) FeedForward(layer int) {
	l := &p.w.Layers[layer]
	inner := apply(l.Up, p.x)
	for i, v := range inner {
		inner[i] = GELU(v)
	}
	p.add(apply(l.Down, inner))
	p.norm(l.OutputNorm)
}

func (p *ReferencePass) Hidden(dst []float32) error {
	if len(dst) != len(p.x) {
		return fmt.Errorf("model: hidden state has %d values, dst %d", len(p.x), len(dst))
	}
	for i, v := range p.x {
		dst[i] = float32(v)
	}
	return nil
}

// Hidden64 returns the rows of the hidden state in use, without copying them.
func (p *ReferencePass) Hidden64() []float64 { return p.x }

func (p *ReferencePass) Pool(r []Reduce, dst []float32) error {
	if err := CheckPool(r, p.b, p.keep, p.w.Config.HiddenSize, len(dst)); err != nil {
		return err
	}
	for i, v := range p.Pool64(r) {
		dst[i] = float32(v)
	}
	return nil
}

// Pool64 is Pool in float64, for reductions that the pass can end in.
func (p *ReferencePass) Pool64(all []Reduce) (dst []float64) {
	h := p.w.Config.HiddenSize
	for s := range p.b.Len() {
		lo, hi := p.b.Bounds(s)
		if p.keep == ClsRows {
			lo, hi = s, s+1
		}
		for _, r := range all {
			row := slices.Clone(p.x[lo*h:][:h])
			switch r.Kind {
			case Last:
				copy(row, p.x[(hi-1)*h:])
			case Max, MaxOf:
				for c := range row {
					row[c] = math.Inf(-1)
				}
				for t := lo; t < hi; t++ {
					if r.Kind == MaxOf && r.Weights[t] == 0 {
						continue
					}
					for c, v := range p.x[t*h:][:h] {
						row[c] = max(row[c], v)
					}
				}
			case Sum:
				clear(row)
				for t := lo; t < hi; t++ {
					for c, v := range p.x[t*h:][:h] {
						row[c] += float64(r.Weights[t]) * v
					}
				}
			}
			dst = append(dst, row...)
		}
	}
	return dst
}

func (p *ReferencePass) End() { <-p.device.slots }

// keepCls removes all rows except the first of each sequence.
func (p *ReferencePass) keepCls() {
	h := p.w.Config.HiddenSize
	cls := make([]float64, 0, p.b.Len()*h)
	for s := range p.b.Len() {
		lo, _ := p.b.Bounds(s)
		cls = append(cls, p.x[lo*h:][:h]...)
	}
	p.x, p.rows, p.keep = cls, p.b.Len(), ClsRows
}

func (p *ReferencePass) add(y []float64) {
	for i, v := range y {
		p.x[i] += v
	}
}

// norm replaces each row by its LayerNorm.
func (p *ReferencePass) norm(n Norm) {
	h := n.Gain.Shape()[0]
	for r := range p.rows {
		n.row(p.x[r*h:][:h], p.w.Config.LayerNormEps)
	}
}

// row replaces x by its LayerNorm.
func (n *Norm) row(x []float64, eps float64) {
	gain, bias, h := Float32s(n.Gain), Float32s(n.Bias), float64(len(x))
	var mean, variance float64
	for _, v := range x {
		mean += v / h
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / h
	}
	for i, v := range x {
		x[i] = (v-mean)/math.Sqrt(variance+eps)*float64(gain[i]) + float64(bias[i])
	}
}

// apply returns x·Wᵀ + b for each row of x.
func apply(l Linear, x []float64) []float64 {
	w, b, out, in := Float32s(l.W), l.Bias(), l.W.Shape()[0], l.W.Shape()[1]
	rows := len(x) / in
	y, wide := make([]float64, rows*out), make([]float64, in)
	for o := range out {
		for i, v := range w[o*in:][:in] {
			wide[i] = float64(v)
		}
		for r := range rows {
			y[r*out+o] = dot(x[r*in:][:in], wide) + float64(b[o])
		}
	}
	return y
}

// dot uses four partial sums, only for speed.
func dot(x, w []float64) float64 {
	w = w[:len(x)]
	var s0, s1, s2, s3 float64
	for ; len(x) >= 4; x, w = x[4:], w[4:] {
		s0 += x[0] * w[0]
		s1 += x[1] * w[1]
		s2 += x[2] * w[2]
		s3 += x[3] * w[3]
	}
	for i, v := range x {
		s0 += v * w[i]
	}
	return s0 + s1 + s2 + s3
}

// softmax replaces s by exp(s)/Σexp(s).
func softmax(s []float64) {
	largest, sum := math.Inf(-1), 0.0
	for _, v := range s {
		largest = math.Max(largest, v)
	}
	for i, v := range s {
		s[i] = math.Exp(v - largest)
		sum += s[i]
	}
	for i := range s {
		s[i] /= sum
	}
}

var _ Device = (*Reference)(nil)
