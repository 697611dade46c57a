package kernels

import (
	"math"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// headUnit divides the head sizes that the vector kernels can compute.
const headUnit = 32

// AttentionScratch returns how many float32 of scratch memory ISA.Attention and
// ISA.AttentionBF16 need for that many keys.
func (i ISA) AttentionScratch(keys int, heads Heads) int {
	if !i.attends(heads) {
		return keys
	}
	columns := i.set().Columns
	keys += keys & 1 // bfloat16 keys are processed in pairs
	return columns*(heads.Size+1) + keys*(columns+heads.Size)
}

// attends reports whether the assembly can compute heads of that size.
func (i ISA) attends(heads Heads) bool { return i != Generic && heads.Size%headUnit == 0 }

// AttendsBF16 reports whether i has AttentionBF16 for heads of that size.
func (i ISA) AttendsBF16(heads Heads) bool { return i.set().AttendsBF16 && i.attends(heads) }

// Attention computes softmax(q·kᵀ/√size)·v for one sequence, every head, as the function
// Attention does. scratch has AttentionScratch(keys, heads) values. The result for a query
// does not depend on the other queries. For head sizes that are no multiple of 32 it calls
// the generic function.
//
// Exponentials are off by less than one unit in the last place, in addition to the error of
// their argument. Weights below 2⁻¹²⁶ of a row's largest become 0.
func (i ISA) Attention(dst, q, k, v []float32, queries, keys, qs, kvs int, heads Heads, scratch []float32) {
	if !i.attends(heads) || queries == 0 {
		Attention(dst, q, k, v, queries, keys, qs, kvs, heads, scratch)
		return
	}
	attend(i, dst, q, k, v, queries, keys, qs, kvs, heads, scratch)
}

// AttentionBF16 is Attention of bfloat16 values (see RoundBF16). The attention weights are
// bfloat16, too, and sums float32. It may be called only if AttendsBF16 is true.
func (i ISA) AttentionBF16(dst []float32, q, k, v []uint16, queries, keys, qs, kvs int, heads Heads, scratch []float32) {
	if !i.AttendsBF16(heads) {
		panic("kernels: no attention in bfloat16 on " + i.String())
	}
	if queries > 0 {
		attend(i, dst, q, k, v, queries, keys, qs, kvs, heads, scratch)
	}
}

// RoundBF16 rounds x to bfloat16: to the nearest, ties to even, denormals to 0.
func (i ISA) RoundBF16(dst []uint16, x []float32) {
	dst = dst[:len(x)]
	whole := 0
	if i.set().AttendsBF16 {
		whole = len(x) / lanes * lanes
	}
	if whole > 0 {
		asm.Round(asm.ISA(i), asm.BF16, unsafe.Pointer(&dst[0]), &x[0], whole)
	}
	for c, v := range x[whole:] {
		dst[whole+c] = uint16(math.Float32bits(roundBF16(v)) >> 16)
	}
}

// attention is the work on one sequence, with its scratch memory. The scratch memory holds,
// for one head: a tile of queries, transposed; the factor for each query's weights; the
// scores (a row for each key, a column for each query); and V in panels of tile.Columns
// columns. In bfloat16, each float32 of q, of v, and of the scores that have become
// weights, is a pair of bfloat16: of values of one query, or of two keys.
type attention[T float32 | uint16] struct {
	isa                  ISA
	tile                 asm.Attention
	size, keys           int
	pairs                int // the number of keys, or of pairs of keys
	q, factor, scores, v []float32
}

func attend[T float32 | uint16](i ISA, dst []float32, q, k, v []T, queries, keys, qs, kvs int, heads Heads, scratch []float32) {
	width := heads.Count * heads.Size
	dst, q = dst[:queries*width], q[:(queries-1)*qs+width]
	k, v = k[:(keys-1)*kvs+width], v[:(keys-1)*kvs+width]
	a := attention[T]{isa: i, tile: i.set().Attention, size: heads.Size, keys: keys, pairs: keys}
	if a.narrow() {
		a.pairs = (keys + 1) / 2
	}
	scratch = scratch[:i.AttentionScratch(keys, heads)]
	a.q, scratch = scratch[:a.tile.Columns*a.size], scratch[a.tile.Columns*a.size:]
	a.factor, scratch = scratch[:a.tile.Columns], scratch[a.tile.Columns:]
	rows := keys + keys&1
	a.scores, a.v = scratch[:a.tile.Columns*rows], scratch[a.tile.Columns*rows:]
	for h := range heads.Count {
		c := h * a.size
		a.packValues(v[c:], kvs)
		for at := 0; at < queries; at += a.tile.Columns {
			n := min(a.tile.Columns, queries-at)
			a.queries(dst[at*width+c:], q[at*qs+c:], k[c:], n, width, qs, kvs)
		}
	}
}

// narrow reports whether values are bfloat16.
func (a *attention[T]) narrow() bool { return unsafe.Sizeof(T(0)) == 2 }

// packValues copies one head's columns of V into panels.
func (a *attention[T]) packValues(v []T, stride int) {
	columns := a.tile.Columns
	for c := 0; c < a.size; c += columns {
		panel := a.v[c*a.pairs:][:columns*a.pairs]
		if a.narrow() {
			asm.PairRows(asm.ISA(a.isa), &panel[0], unsafe.Pointer(&v[c]), 2*stride, a.keys/2)
			if a.keys%2 != 0 {
				last := panel[(a.pairs-1)*columns:]
				for x, value := range v[(a.keys-1)*stride+c:][:columns] {
					last[x] = math.Float32frombits(uint32(value)) // the other half of the pair is 0
				}
			}
			continue
		}
		for j := range a.keys {
			row := unsafe.Slice((*float32)(unsafe.Pointer(&v[j*stride+c])), columns)
			copy(panel[j*columns:][:columns], row)
		}
	}
}

// queries computes n queries, at most a tile of them.
func (a *attention[T]) queries(dst []float32, q, k []T, n, width, qs, kvs int) {
	across := 2
	if n <= a.tile.Columns/2 {
		across = 1
	}
	columns := a.tile.Columns / 2 * across
	a.transpose(q, n, columns, qs)
	scale := float32(math.Log2E / math.Sqrt(float64(a.size)))
	bytes, size, form, isa := int(unsafe.Sizeof(T(0))), a.size, asm.F32, asm.ISA(a.isa)
	if a.narrow() {
		size, form = a.size/2, asm.BF16
	}
	asm.Scores(isa, form, across, &a.scores[0], unsafe.Pointer(&k[0]), bytes*kvs, &a.q[0], size, a.keys, &a.factor[0])
	if a.narrow() {
		for i := a.keys * columns; i < 2*a.pairs*columns; i++ {
			a.scores[i] = float32(math.Inf(-1)) // so that the key that fills up the last pair gets weight 0
		}
	}
	asm.Exponents(isa, form, across, &a.scores[0], a.pairs, &a.factor[0], scale)
	for c := 0; c < a.size; c += a.tile.Columns {
		asm.Mix(isa, form, across, &dst[c], 4*width, &a.scores[0], &a.v[c*a.pairs], a.pairs, &a.factor[0], n)
	}
}

// transpose copies n queries into the columns of a.q and zeros into the other columns.
func (a *attention[T]) transpose(q []T, n, columns, stride int) {
	values := int(4 / unsafe.Sizeof(T(0))) // how many values fit into a float32
	size := a.size / values
	whole := n / a.tile.Transpose * a.tile.Transpose
	if whole < columns {
		clear(a.q[:columns*size])
	}
	row := func(i int) *float32 { return (*float32)(unsafe.Pointer(&q[i*stride])) }
	for i := 0; i < whole; i += a.tile.Transpose {
		asm.Transpose(asm.ISA(a.isa), &a.q[i], 4*columns, row(i), stride*4/values, size)
	}
	for i := whole; i < n; i++ {
		for c, value := range unsafe.Slice(row(i), size) {
			a.q[c*columns+i] = value
		}
	}
}
