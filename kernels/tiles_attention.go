package kernels

import (
	"math"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// AttendsTiles reports whether i has AttentionTiles for heads of that size.
func (i ISA) AttendsTiles(heads Heads) bool {
	return i.set().AttendsTiles && (heads.Size == 32 || heads.Size == 64)
}

// TilesQueryScale is the factor by which the queries of AttentionTiles must be multiplied.
// It can be put into the weights that compute them. It contains 1/√size; log2(e), since the
// kernel computes powers of 2; and the unit in which asm.Attend takes scores.
func TilesQueryScale(heads Heads) float32 {
	return float32(math.Log2E / math.Sqrt(float64(heads.Size)) / asm.AttendUnit)
}

// AttentionTilesScratch returns how many float32 of scratch memory AttentionTiles needs for
// that many keys.
func AttentionTilesScratch(keys int, heads Heads) int {
	return (asm.AttendScratch(keys, heads.Size) + 3) / 4
}

// AttentionTiles computes softmax(q·kᵀ)·v for one sequence, every head. Values are
// bfloat16, and the queries were multiplied by TilesQueryScale. The attention weights are
// rounded to bfloat16; sums are float32. scratch has AttentionTilesScratch(keys, heads)
// values. The result for a query does not depend on the other queries. It may be called
// only if AttendsTiles is true.
//
//	dst   queries×(count·size)
//	q     queries rows, stride qs apart
//	k, v  keys rows, stride kvs apart
func (i ISA) AttentionTiles(dst []float32, q, k, v []uint16, queries, keys, qs, kvs int, heads Heads, scratch []float32) {
	width := heads.Count * heads.Size
	if queries > 0 {
		t := i.tiles(q, k, v, queries, keys, qs, kvs, heads, scratch)
		dst = dst[:queries*width]
		asm.Attend(t.set, unsafe.Pointer(&dst[0]), 4*width, t.q, 2*qs, queries, t.k, t.v, 2*kvs, keys, heads.Count, heads.Size, t.scratch)
	}
}

// AttentionTilesTo is AttentionTiles, writing to the rows of a product's input from row on.
// dst must have been given Room for a variant whose WritesInput is true.
func (i ISA) AttentionTilesTo(dst *Input, row int, q, k, v []uint16, queries, keys, qs, kvs int, heads Heads, scratch []float32) {
	if width := heads.Count * heads.Size; !dst.variant.WritesInput() || dst.width != width || row < 0 || row+queries > dst.rows {
		panic("kernels: no room for what the heads found")
	}
	if queries > 0 {
		t := i.tiles(q, k, v, queries, keys, qs, kvs, heads, scratch)
		asm.AttendNarrow(t.set, dst.at(row), dst.stride, t.q, 2*qs, queries, t.k, t.v, 2*kvs, keys, heads.Count, heads.Size, t.scratch)
	}
}

// tileAttention holds the addresses of the operands of attention on tiles.
type tileAttention struct {
	set              asm.ISA
	q, k, v, scratch unsafe.Pointer
}

// tiles checks the operands' lengths and returns their addresses.
func (i ISA) tiles(q, k, v []uint16, queries, keys, qs, kvs int, heads Heads, scratch []float32) tileAttention {
	if !i.AttendsTiles(heads) {
		panic("kernels: no attention on tiles for these heads on " + i.String())
	}
	width := heads.Count * heads.Size
	q = q[:(queries-1)*qs+width]
	k, v = k[:(keys-1)*kvs+width], v[:(keys-1)*kvs+width]
	scratch = scratch[:AttentionTilesScratch(keys, heads)]
	return tileAttention{asm.ISA(i), unsafe.Pointer(&q[0]), unsafe.Pointer(&k[0]), unsafe.Pointer(&v[0]), unsafe.Pointer(&scratch[0])}
}
