package kernels

import "math"

// headUnit is what the vector kernels' head sizes are multiples of.
const headUnit = 32

// AttentionScratch returns how many values of scratch ISA.Attention takes for
// that many keys.
func (i ISA) AttentionScratch(keys int, heads Heads) int {
	if !i.attends(heads) {
		return keys
	}
	columns := attentionTileOf(i).columns
	return columns*(heads.Size+1) + keys*(columns+heads.Size)
}

// attends says whether the assembly takes heads of that size.
func (i ISA) attends(heads Heads) bool { return i != Generic && heads.Size%headUnit == 0 }

// Attention computes softmax(q·kᵀ/√size)·v for one sequence, every head, as the
// function Attention does, with AttentionScratch(keys, heads) values of scratch.
// What it writes for a query does not depend on the other queries. Heads whose
// size is no multiple of 32 are left to the generic kernel.
//
// Exponentials are off by less than one unit in the last place, beside what
// their argument is off; weights below 2⁻¹²⁶ of a row's largest are 0.
func (i ISA) Attention(dst, q, k, v []float32, queries, keys, qs, kvs int, heads Heads, scratch []float32) {
	if !i.attends(heads) || queries == 0 {
		Attention(dst, q, k, v, queries, keys, qs, kvs, heads, scratch)
		return
	}
	width := heads.Count * heads.Size
	dst, q = dst[:queries*width], q[:(queries-1)*qs+width]
	k, v = k[:(keys-1)*kvs+width], v[:(keys-1)*kvs+width]
	a := attention{isa: i, tile: attentionTileOf(i), size: heads.Size, keys: keys}
	scratch = scratch[:i.AttentionScratch(keys, heads)]
	a.q, scratch = scratch[:a.tile.columns*a.size], scratch[a.tile.columns*a.size:]
	a.factor, scratch = scratch[:a.tile.columns], scratch[a.tile.columns:]
	a.scores, a.v = scratch[:a.tile.columns*keys], scratch[a.tile.columns*keys:]
	for h := range heads.Count {
		c := h * a.size
		a.packValues(v[c:], kvs)
		for at := 0; at < queries; at += a.tile.columns {
			n := min(a.tile.columns, queries-at)
			a.queries(dst[at*width+c:], q[at*qs+c:], k[c:], n, width, qs, kvs)
		}
	}
}

// attentionTile is how many queries, and columns of V, are two registers, and
// how many rows are transposed at once.
type attentionTile struct{ columns, transpose int }

// attention is one sequence's, and the memory it goes through: for one head a
// tile of queries transposed, what each query's weights are multiplied by, the
// scores (a row for each key, a column for each query) and V in panels of
// tile.columns columns.
type attention struct {
	isa                  ISA
	tile                 attentionTile
	size, keys           int
	q, factor, scores, v []float32
}

// packValues copies a head's columns of V into panels.
func (a *attention) packValues(v []float32, stride int) {
	columns := a.tile.columns
	for c := 0; c < a.size; c += columns {
		panel := a.v[c*a.keys:][:columns*a.keys]
		for j := range a.keys {
			copy(panel[j*columns:][:columns], v[j*stride+c:])
		}
	}
}

// queries does a tile of at most tile.columns queries.
func (a *attention) queries(dst, q, k []float32, n, width, qs, kvs int) {
	across := 2
	if n <= a.tile.columns/2 {
		across = 1
	}
	columns := a.tile.columns / 2 * across
	a.transpose(q, n, columns, qs)
	scores(a.isa, across, &a.scores[0], &k[0], 4*kvs, &a.q[0], a.size, a.keys, &a.factor[0])
	scale := float32(math.Log2E / math.Sqrt(float64(a.size)))
	exponents(a.isa, across, &a.scores[0], a.keys, &a.factor[0], scale)
	for c := 0; c < a.size; c += a.tile.columns {
		mix(a.isa, across, &dst[c], 4*width, &a.scores[0], &a.v[c*a.keys], a.keys, &a.factor[0], n)
	}
}

// transpose writes n queries as columns of a.q, zeros beside them.
func (a *attention) transpose(q []float32, n, columns, stride int) {
	whole := n / a.tile.transpose * a.tile.transpose
	if whole < columns {
		clear(a.q[:columns*a.size])
	}
	for i := 0; i < whole; i += a.tile.transpose {
		transpose(a.isa, &a.q[i], 4*columns, &q[i*stride], 4*stride, a.size)
	}
	for i := whole; i < n; i++ {
		for c, value := range q[i*stride:][:a.size] {
			a.q[c*columns+i] = value
		}
	}
}
