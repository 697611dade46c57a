package conformance

import "math"

// heads computes softmax(q·kᵀ/√d)·v of one sequence, every head, into context.
func (d *bounds) heads(context, q, k, v uncertain) {
	h, size := d.w.Config.HiddenSize, d.w.Config.HeadSize()
	a := attends{rounding: d.rounding, size: size, width: h, keys: len(k.v) / h}
	a.weights, a.off = make([]float64, a.keys), make([]float64, a.keys)
	a.more, a.less = make([]float64, a.keys), make([]float64, a.keys)
	for at := 0; at < h; at += size {
		for i := range len(q.v) / h {
			a.softmax(q, k, i*h+at, at)
			for c := at; c < at+size; c++ {
				context.v[i*h+c], context.s[i*h+c] = a.mix(v, c)
			}
		}
	}
}

// attends is one query's attention to a sequence, by one head.
type attends struct {
	rounding          *Rounding
	size, width, keys int
	weights           []float64 // for each key
	off               []float64 // the largest error of each key's score
	more, less        []float64 // e to the power of off, and of -off
	least             float64   // a lower bound of the sum of all weights, which is 1 in exact arithmetic
}

// softmax computes the weights of the query at q.v[from] for the keys from column at.
//
// The error of a score is that of a product, plus the rounding of the exponential's
// argument: a few roundings of the score and of the largest score. The exponential itself
// has a few more.
func (a *attends) softmax(q, k uncertain, from, at int) {
	r, d := a.rounding, float64(a.size)
	largest := 0.0
	for j := range a.weights {
		var sum, magnitude, off float64
		for c := range a.size {
			x, y := q.v[from+c], k.v[j*a.width+at+c]
			// A query may be rounded when it is divided by √d.
			own := r.off(r.Attention, x)
			if r.Attention > 0 {
				own = max(own, r.Least*math.Sqrt(d))
			}
			xs, ys := square(q.s[from+c])+square(own), square(k.s[j*a.width+at+c])+square(r.off(r.Attention, y))
			sum += x * y
			magnitude += math.Abs(x * y)
			off += y*y*xs + x*x*ys + xs*ys
		}
		a.weights[j] = sum / math.Sqrt(d)
		a.off[j] = (off + (d+4)*square(unit32*magnitude)) / d
		if j == 0 || a.weights[j] > largest {
			largest = a.weights[j]
		}
	}
	total := 0.0
	for j, score := range a.weights {
		a.off[j] = deviations*math.Sqrt(a.off[j]+square(4*unit32*(math.Abs(score)+math.Abs(largest)))) + 8*unit32
		a.weights[j] = math.Exp(score - largest)
		total += a.weights[j]
	}
	a.least = 0
	for j := range a.weights {
		a.weights[j] /= total
		a.more[j], a.less[j] = math.Exp(a.off[j]), math.Exp(-a.off[j])
		a.least += a.weights[j] * a.less[j]
	}
}

// mix returns the weighted mean of column c of v, and how far off it may be.
//
// If the scores are off by at most δ, each weight is between p·exp(-δ) and p·exp(δ). The
// mean of v is then at most the one where all values above that mean have the largest
// weight and all below the smallest. In addition there are the errors of v, the rounding of
// the weights, and that of the sum.
func (a *attends) mix(v uncertain, c int) (found, off float64) {
	r := a.rounding
	var values, rounded, size, tiny float64
	for j, p := range a.weights {
		x := v.v[j*a.width+c]
		found += p * x
		size += p * math.Abs(x)
		rounded += square(p * x)
		tiny += square(x)
		values += min(1, p*a.more[j]/a.least) * math.Hypot(v.s[j*a.width+c], r.off(r.Attention, x))
	}
	far := max(a.farthest(v, c, found, 1), a.farthest(v, c, found, -1)) / deviations
	squares := square(values) + square(far) + float64(a.keys+8)*square(unit32*size)
	if r.Attention > 0 {
		squares += square(r.Attention)*rounded + square(r.Least)*tiny
	}
	return found, math.Sqrt(squares)
}

// farthest returns how far the mean of v can move to one side. Each step sets the weights
// by the mean so far, and moves it further, until it stays.
func (a *attends) farthest(v uncertain, c int, from, side float64) float64 {
	at := from
	for range 50 {
		sum, total := 0.0, 0.0
		for j, p := range a.weights {
			x := v.v[j*a.width+c]
			if (x-at)*side > 0 {
				p *= a.more[j]
			} else {
				p *= a.less[j]
			}
			sum += p * x
			total += p
		}
		next := sum / total
		if (next-at)*side <= 1e-12*math.Abs(at) {
			break
		}
		at = next
	}
	return math.Abs(at - from)
}
