package conformance

import (
	"math"
	"slices"

	"github.com/minilm-metal/minilm-metal/model"
)

// bounds computes blocks in float64, as model.Reference does, together with how far off a
// device may be.
type bounds struct {
	rounding *Rounding
	w        *model.Weights
	b        *model.Batch
}

// firsts reports which rows are [CLS] rows.
func (d *bounds) firsts(rows int) []bool {
	cls := make([]bool, rows)
	for s := range d.b.Len() {
		lo, _ := d.b.Bounds(s)
		if rows == d.b.Len() {
			lo = s // only [CLS] rows are left
		}
		cls[lo] = true
	}
	return cls
}

// embed returns LN(word + position + type), projected where that is done: in float32, whatever
// the format is.
func (d *bounds) embed() uncertain {
	h := d.w.WordEmbeddings.Shape()[1]
	tables := [3][]float32{model.Float32s(d.w.WordEmbeddings), model.Float32s(d.w.PositionEmbeddings), model.Float32s(d.w.TypeEmbeddings)}
	x := newUncertain(d.b.Tokens() * h)
	for s := range d.b.Len() {
		lo, hi := d.b.Bounds(s)
		for t := lo; t < hi; t++ {
			for i := range h {
				size, squares := 0.0, 0.0
				for k, row := range [3]int{int(d.b.IDs[t]), t - lo, int(d.b.Types[t])} {
					v := float64(tables[k][row*h+i])
					x.v[t*h+i] += v
					size += math.Abs(v)
					squares += square(d.rounding.off(d.rounding.Tables, v))
				}
				x.s[t*h+i] = math.Sqrt(squares + 2*square(unit32*size)) // two additions
			}
		}
	}
	d.norm(x, d.w.EmbeddingNorm)
	if p := d.w.Projection; p != nil {
		plain := bounds{rounding: new(Rounding), w: d.w, b: d.b}
		x = plain.linear(*p, x, nil, nil)
	}
	return x
}

// attention returns LN(x + Wo·softmax(QKᵀ/√d)V + bo) of the kept rows.
func (d *bounds) attention(layer int, x uncertain, keep model.Rows) uncertain {
	l, h := &d.w.Layers[layer], d.w.Config.HiddenSize
	kept, _, _ := d.kept(layer)
	k, v := d.linear(l.Key, x, nil, kept), d.linear(l.Value, x, nil, kept)
	if keep == model.ClsRows {
		cls := newUncertain(d.b.Len() * h)
		for s := range d.b.Len() {
			lo, _ := d.b.Bounds(s)
			copy(cls.v[s*h:][:h], x.v[lo*h:])
			copy(cls.s[s*h:][:h], x.s[lo*h:])
		}
		x = cls
	}
	q := d.linear(l.Query, x, nil, kept)
	context := newUncertain(len(q.v))
	for s := range d.b.Len() {
		lo, hi := d.b.Bounds(s)
		first, last := lo, hi
		if keep == model.ClsRows {
			first, last = s, s+1
		}
		d.heads(context.rows(first, last-first, h), q.rows(first, last-first, h), k.rows(lo, hi-lo, h), v.rows(lo, hi-lo, h))
	}
	y := d.linear(l.Output, context, d.firsts(len(q.v)/h), nil)
	d.add(y, x)
	d.norm(y, l.AttentionNorm)
	return y
}

// feedForward returns LN(x + W2·gelu(W1·x + b1) + b2).
func (d *bounds) feedForward(layer int, x uncertain) uncertain {
	l := &d.w.Layers[layer]
	cls := d.firsts(len(x.v) / d.w.Config.HiddenSize)
	_, keptUp, keptDown := d.kept(layer)
	inner := d.linear(l.Up, x, cls, keptUp)
	for i, v := range inner.v {
		cdf := (1 + math.Erf(v/math.Sqrt2)) / 2
		density := math.Exp(-v*v/2) / math.Sqrt(2*math.Pi)
		// GELU' is Φ + v·φ, at most 1.13; GELU'' is (2 - v²)·φ, at most 0.8.
		slope := min(1.13, math.Abs(cdf+v*density)+0.8*deviations*inner.s[i])
		own := 2.5*unit32*math.Abs(v) + d.rounding.GELU*max(1, math.Abs(v))
		inner.v[i], inner.s[i] = v*cdf, math.Hypot(slope*inner.s[i], own)
	}
	y := d.linear(l.Down, inner, cls, keptDown)
	d.add(y, x)
	d.norm(y, l.OutputNorm)
	return y
}

// pool returns what the reductions read of x, the hidden state with these rows. Only Sum
// rounds: it has n products and n additions, in float32 at every precision.
func (d *bounds) pool(all []model.Reduce, x uncertain, keep model.Rows) uncertain {
	h := d.w.Config.HiddenSize
	y := newUncertain(d.b.Len() * len(all) * h)
	for s := range d.b.Len() {
		lo, hi := d.b.Bounds(s)
		if keep == model.ClsRows {
			lo, hi = s, s+1
		}
		for i, r := range all {
			row := y.rows(s*len(all)+i, 1, h)
			first := lo
			if r.Kind == model.Last {
				first = hi - 1
			}
			copy(row.v, x.v[first*h:][:h])
			if r.Kind == model.MaxOf {
				for c := range row.v {
					row.v[c] = math.Inf(-1)
				}
			}
			if r.Kind != model.Max && !r.Kind.Weighted() {
				continue
			}
			for c := range h {
				sum, size := 0.0, 0.0
				for t := lo; t < hi; t++ {
					v := x.v[t*h+c]
					if r.Kind != model.MaxOf || r.Weights[t] != 0 {
						row.v[c] = max(row.v[c], v)
					}
					if r.Kind == model.Sum {
						sum += float64(r.Weights[t]) * v
						size += math.Abs(float64(r.Weights[t]) * v)
					}
				}
				if r.Kind == model.Sum {
					row.v[c], row.s[c] = sum, math.Sqrt(float64(2*(hi-lo)))*unit32*size
				}
			}
		}
	}
	return y
}

// add adds x to y, in float32, in the place of y.
func (d *bounds) add(y, x uncertain) {
	for i, v := range x.v {
		y.v[i] += v
		y.s[i] = math.Hypot(math.Hypot(y.s[i], x.s[i]), unit32*y.v[i])
	}
}

// norm replaces rows by their LayerNorm: ŷ = (x - mean)/σ, y = ŷ·gain + bias.
//
// If δ is the error of a value, x - mean has the error δx - δmean, and σ = √(Σ(x - mean)²/n
// + ε) has an error of at most (2·Σ(x - mean)·δx/n + Σδx²/n)/(σ + σ'), which is r·σ below.
// So the error of ŷ is at most ((δx - δmean)/σ + ŷ·r)/(1-r). However large δx is, |ŷ| is at
// most √n.
func (d *bounds) norm(x uncertain, n model.Norm) {
	gain, bias := model.Float32s(n.Gain), model.Float32s(n.Bias)
	h := len(gain)
	count, sums := float64(h), math.Sqrt(float64(h))
	for at := 0; at < len(x.v); at += h {
		v, s := x.v[at:][:h], x.s[at:][:h]
		var mean, size, squares, variance, along float64
		for i := range v {
			mean += v[i] / count
			size += math.Abs(v[i]) / count
			squares += s[i] * s[i]
		}
		for i := range v {
			variance += square(v[i]-mean) / count
			along += square((v[i] - mean) * s[i])
		}
		deviation := math.Sqrt(variance + d.w.Config.LayerNormEps)
		// The mean has the error of x, and the rounding errors of a sum of n.
		ofMean := squares/square(count) + square(sums*unit32*size)
		relative := (2*deviations*math.Sqrt(along)/count+square(deviations)*(squares/count+ofMean))/square(deviation) + deviations*(sums+4)*unit32
		for i := range v {
			y := (v[i] - mean) / deviation
			off := math.Sqrt(square(s[i])+ofMean+square(unit32*(v[i]-mean))) / deviation
			most := (sums + math.Abs(y)) / deviations
			if relative < 1 {
				most = min(most, (off+math.Abs(y)*relative/deviations)/(1-relative))
			}
			g, b := float64(gain[i]), float64(bias[i])
			v[i] = y*g + b
			s[i] = math.Abs(g)*most + unit32*(2*math.Abs(y*g)+math.Abs(v[i]))
		}
	}
}

// kept returns the channels that stay float32 in a layer.
func (d *bounds) kept(layer int) (attention, up, down []int) {
	if d.rounding.Kept == nil {
		return nil, nil, nil
	}
	a, u, f := d.rounding.Kept(d.w)
	return a[layer], u[layer], f[layer]
}

// linear returns x·Wᵀ + b. Int8 rounds the rows that are cls, and the kept channels, less.
//
// The error of a product is w·δx + x·δw + δx·δw, where δ is the error by rounding the
// operands and, for x, the error from before: s² = Σ w²·δx² + (x² + δx²)·δw². A sum of n
// products also has the errors of n additions, each of at most Σ|x·w|.
func (d *bounds) linear(l model.Linear, x uncertain, cls []bool, kept []int) uncertain {
	w, b, out, in := model.Float32s(l.W), model.Float32s(l.B), l.W.Shape()[0], l.W.Shape()[1]
	rows, r := len(x.v)/in, d.rounding
	y := newUncertain(rows * out)
	wide, weights := make([]float64, in), make([]float64, in)
	inputs := make([]input, rows)
	for i := range inputs {
		inputs[i] = d.input(x.rows(i, 1, in), cls != nil && cls[i], kept)
	}
	for o := range out {
		most, size := 0.0, 0.0
		for i, v := range w[o*in:][:in] {
			wide[i], weights[i] = float64(v), square(float64(v))
			size += math.Abs(wide[i])
		}
		for _, v := range d.rounded(wide, kept) {
			most = max(most, math.Abs(v))
		}
		// The error of a weight beside its relative error, squared.
		step := square(r.Least)
		if r.Int8 {
			step = square(most/254 + 2*unit32*most)
		}
		for row := range rows {
			in := &inputs[row]
			var sum, magnitude, off, halves float64
			for at := 0; at < len(wide); at += 32 {
				block := 0.0
				n := min(32, len(wide)-at)
				xs, ws, offs, squares := in.x[at:][:n], wide[at:][:n], in.off[at:][:n], weights[at:][:n]
				for i, v := range xs {
					product := v * ws[i]
					sum += product
					block += math.Abs(product)
					off += squares[i] * offs[i]
				}
				magnitude += block
				halves += float64(n) * square(r.Sums*block+r.Least)
			}
			bias := float64(b[o])
			off += step*in.squares + square(r.Products)*in.products(wide)
			off += float64(len(wide)+4) * square(unit32*(magnitude+math.Abs(bias)))
			if r.Sums > 0 {
				off += halves
			}
			if r.Int8 {
				// The offset's product and the integers' product may each be larger than
				// their sum.
				off += 4 * square(unit32*2*in.most*size)
			}
			y.v[row*out+o], y.s[row*out+o] = sum+bias, math.Sqrt(off)
		}
	}
	return y
}

// rounded returns a row as Int8 rounds it, without the kept channels.
func (d *bounds) rounded(x []float64, kept []int) []float64 {
	if d.rounding.Spread == nil && len(kept) == 0 {
		return x
	}
	x = slices.Clone(x)
	for _, c := range kept {
		x[c] = 0
	}
	if d.rounding.Spread == nil {
		return x
	}
	return d.rounding.Spread(x)
}

// input is a row of x as a product reads it.
type input struct {
	x       []float64
	off     []float64 // for each value, the squared error of its product with a weight, relative to the weight
	squares float64   // Σ x² + δx² over the values that are multiplied by integers or halves
	most    float64   // |x|
	left    bool      // Products are left out
}

func (d *bounds) input(x uncertain, cls bool, kept []int) input {
	r := d.rounding
	in := input{x: x.v, off: make([]float64, len(x.v)), left: r.Products > 0}
	low, high := math.Inf(1), math.Inf(-1)
	squares := 0.0
	for i, v := range x.v {
		in.most = max(in.most, math.Abs(v)+deviations*x.s[i])
		if !slices.Contains(kept, i) {
			low, high = min(low, v-deviations*x.s[i]), max(high, v+deviations*x.s[i])
			squares += square(x.s[i])
		}
	}
	if r.Spread != nil {
		// The error of a spread value comes from all values together. Spreading back, a
		// product has the same error as if each value had this one.
		off := deviations * math.Sqrt(squares)
		low, high = math.Inf(1), math.Inf(-1)
		for _, v := range d.rounded(x.v, kept) {
			low, high = min(low, v-off), max(high, v+off)
			in.most = max(in.most, math.Abs(v)+off)
		}
	}
	step := (high - low) / 254
	if cls {
		step /= 254 // the rounding error is rounded again
	}
	for i, v := range x.v {
		own := 0.0
		switch {
		case !r.Int8:
			own = r.off(r.Operands, v)
		case !slices.Contains(kept, i):
			own = step/2 + 4*unit32*in.most
		}
		off := square(x.s[i]) + square(own)
		in.off[i] = off + square(r.Operands)*(square(v)+off)
		if !r.Int8 || !slices.Contains(kept, i) {
			in.squares += square(v) + off
		}
	}
	return in
}

// products returns Σ (x·w)².
func (in *input) products(w []float64) float64 {
	sum := 0.0
	if in.left {
		for i, v := range in.x {
			sum += square(v * w[i])
		}
	}
	return sum
}
