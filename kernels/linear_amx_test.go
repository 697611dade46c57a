//go:build linux && amd64 && !noasm

package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// needAMX skips a test where there are no tiles, and else asks for them.
func needAMX(t *testing.T) {
	t.Helper()
	if !asm.Has(asm.AMX) {
		t.Skip("this processor has no AMX: build with -tags amxemu and run under an emulator")
	}
	if err := asm.Permit(asm.AMX); err != nil {
		t.Skip(err)
	}
}

// linearAMX is one of the products on tiles, and what becomes of its results.
type linearAMX struct {
	form         asm.Format
	name         string
	run          dispatcherAMX
	gelu, narrow bool
}

type dispatcherAMX func(set asm.ISA, form asm.Format, rows, out int, dst unsafe.Pointer, dstStride int, x unsafe.Pointer, xStride int,
	w unsafe.Pointer, steps int, columns, scratch, perRow *float32, terms int, rests *int, rest *float32)

var linearsAMX = []linearAMX{
	{asm.BF16, "Linear", asm.Linear, false, false},
	{asm.BF16, "LinearNarrow", asm.LinearNarrow, false, true},
	{asm.BF16, "LinearGELU", asm.LinearGELU, true, false},
	{asm.BF16, "LinearGELUNarrow", asm.LinearGELUNarrow, true, true},
	{asm.Int8, "Linear", asm.Linear, false, false},
	{asm.Int8, "LinearNarrow", asm.LinearNarrow, false, true},
	{asm.Int8, "LinearGELU", asm.LinearGELU, true, false},
	{asm.BF16x3, "Linear", asm.Linear, false, false},
	{asm.BF16x3, "LinearGELU", asm.LinearGELU, true, false},
}

// operandsAMXOf makes operands, and gelu is what their GELU is held to: the short
// polynomial, or float32's.
var operandsAMXOf = map[asm.Format]struct {
	name string
	make func(r *rand.Rand, in int) *operandsAMX
	gelu Variant
}{
	asm.BF16:   {"bf16", operandsBF16AMX, Variant{ISA(asm.AVX512), Int8}},
	asm.Int8:   {"int8", operandsInt8AMX, Variant{ISA(asm.AVX512), Int8}},
	asm.BF16x3: {"bf16x3", operandsSplitAMX, Variant{ISA(asm.AVX512), F32}},
}

// Every product is the plain loop's, bit for bit, whatever the number of rows, columns
// and inputs, and wherever a row lies; nothing else is written, nor anything read
// beyond the operands.
func TestLinearAMX(t *testing.T) {
	needAMX(t)
	for _, p := range linearsAMX {
		of := operandsAMXOf[p.form]
		t.Run(of.name+"/"+p.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(91, 92))
			for _, in := range []int{1, 31, 32, 33, 64, 100, 384} {
				o := of.make(r, in)
				if p.gelu {
					of.gelu.GELU(o.results)
				}
				for _, out := range []int{1, 15, 16, 17, 31, 32, 33, 64, outAMX} {
					for _, rows := range []int{1, 2, 15, 16, 17, 31, 32, 33, 48, 49, rowsAMX} {
						// The first rows and the last ones, after which nothing can be read.
						for _, first := range []int{0, rowsAMX - rows} {
							what := fmt.Sprintf("in %d out %d rows %d to %d", in, out, first, first+rows-1)
							o.check(t, what, p, first, rows, out)
						}
					}
				}
			}
		})
	}
}

// check multiplies some of the rows by the first columns.
func (o *operandsAMX) check(t *testing.T, what string, p linearAMX, first, rows, out int) {
	t.Helper()
	const apart, margin, untouched = 3, 17, 0xa5
	size := 4
	if p.narrow {
		size = 2
	}
	stride := (out + apart) * size
	dst := make([]byte, 2*margin*size+rows*stride)
	for i := range dst {
		dst[i] = untouched
	}
	scratch := aligned[float32](1024)
	at := func(r, c int) int { return margin*size + r*stride + c*size }
	var perRow, rest *float32
	var rests *int
	if o.perRow != nil {
		perRow, rests, rest = &o.perRow[first*rowTerms], &o.rests[first], &o.rest[0]
	}
	p.run(asm.AMX, p.form, rows, out, unsafe.Pointer(&dst[at(0, 0)]), stride, unsafe.Pointer(&o.x[first*o.xStride]), o.xStride, unsafe.Pointer(&o.w[0]), o.steps,
		&o.columns[0], &scratch[0], perRow, o.terms, rests, rest)

	for r := range rows {
		for c := range out {
			want, cell := o.results[(first+r)*outAMX+c], dst[at(r, c):][:size]
			var got float32
			if p.narrow {
				want = roundBF16(want)
				got = math.Float32frombits(uint32(cell[0])<<16 | uint32(cell[1])<<24)
			} else {
				got = math.Float32frombits(uint32(cell[0]) | uint32(cell[1])<<8 | uint32(cell[2])<<16 | uint32(cell[3])<<24)
			}
			if !same(got, want) {
				t.Fatalf("%s: y[%d,%d] = %g (%#x), want %g (%#x)", what, first+r, c, got, math.Float32bits(got), want, math.Float32bits(want))
			}
			copy(cell, slices.Repeat([]byte{untouched}, size))
		}
	}
	for i, v := range dst {
		if v != untouched {
			t.Fatalf("%s: wrote outside its rows, at byte %d of %d apart", what, i-margin*size, stride)
		}
	}
}
