package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// Tiles read whole tiles of rows: they must be there for every part of an Input.
func TestViewsHaveWholeTiles(t *testing.T) {
	v := Variant{ISA(asm.AMX), BF16} // nothing is computed
	for rows := 1; rows < 70; rows++ {
		var whole, view Input
		whole.Room(v, rows, 40)
		for first := range rows {
			for n := 1; n <= rows-first; n++ {
				view.View(&whole, first, n)
				if need := padded(n, tileRows) * view.stride; len(view.narrow) < need {
					t.Fatalf("rows %d to %d of %d: %d bytes, tiles read %d", first, first+n, rows, len(view.narrow), need)
				}
			}
		}
	}
}

// What an Input's memory held before, such as NaN in what fills up its rows now, is
// nothing to products.
func TestInputAfterNaN(t *testing.T) {
	const rows, in, inner = 5, 40, 70
	r := rand.New(rand.NewPCG(6, 7))
	x, bias := random(r, rows*in), random(r, 128)
	nan := make([]float32, 128)
	for i := range nan {
		nan[i] = float32(math.NaN())
	}
	for _, v := range Variants() {
		up := Pack(random(r, inner*in), bias[:inner], inner, in, v, Inputs{})
		down := Pack(random(r, in*inner), bias[:in], in, inner, v, Inputs{})
		wide := Pack(make([]float32, 128*in), nan, 128, in, v, Inputs{})
		multiply := func(x1, x2 *Input) []float32 {
			dst := make([]float32, rows*in)
			x1.Set(v, x, rows, in, in, Keep{})
			up.LinearGELUTo(x2, x1)
			x2.Narrow(Keep{})
			down.Linear(dst, x2, in)
			return dst
		}
		want := multiply(new(Input), new(Input))
		var used1, used2 Input
		used1.Set(v, slices.Repeat(nan, 16), 16, 128, 128, Keep{})
		used1.Set(v, x, rows, in, in, Keep{})
		wide.LinearGELUTo(&used2, &used1)
		used2.Narrow(Keep{})
		if got := multiply(&used1, &used2); !slices.Equal(got, want) {
			t.Errorf("%v: %g, want %g", v, got, want)
		}
	}
}

// flushed is what TDPBF16PS makes of a number: 0 of denormals.
func flushed(x float32) float32 {
	if bits := math.Float32bits(x); bits&0x7f800000 == 0 {
		return math.Float32frombits(bits & 0x80000000)
	}
	return x
}

// dotTile adds to acc what TDPBF16PS adds to one of its sums, by Intel's manual: the even
// and the odd products of 16 pairs are summed apart, all is rounded to the nearest,
// denormals count as 0 (they are what tells this loop from one of fma alone).
func dotTile(acc float32, x, w func(pair, half int) float32) float32 {
	var sums [2]float32
	for pair := range 16 {
		for half := range sums {
			sums[half] = flushed(fma(flushed(x(pair, half)), flushed(w(pair, half)), sums[half]))
		}
	}
	return flushed(acc + flushed(sums[0]+sums[1]))
}

// stepTile adds the products of a step: 32 inputs, or what is left of them.
func stepTile(acc float32, x, w []float32, step int) float32 {
	of := func(s []float32) func(pair, half int) float32 {
		return func(pair, half int) float32 {
			if i := 32*step + 2*pair + half; i < len(s) {
				return s[i]
			}
			return 0
		}
	}
	return dotTile(acc, of(x), of(w))
}

// chainTiles is what each output of a product of bfloat16 on tiles is, said plainly.
func chainTiles(x, w []float32, bias float32) (sum float32) {
	x, w = rounded(x), rounded(w)
	for step := range steps(len(x)) {
		sum = stepTile(sum, x, w, step)
	}
	return sum + bias
}

// chainTilesSplit is chainTiles for BF16x3.
func chainTilesSplit(x, w []float32, bias float32) (sum float32) {
	high, low := make([]float32, len(x)), make([]float32, len(x))
	wHigh, wLow := make([]float32, len(x)), make([]float32, len(x))
	splitAll(high, low, x)
	splitAll(wHigh, wLow, w)
	for step := range steps(len(x)) {
		sum = stepTile(sum, high, wLow, step)
		sum = stepTile(sum, high, wHigh, step)
		sum = stepTile(sum, low, wHigh, step)
	}
	return sum + bias
}

// steps returns how many steps n inputs are.
func steps(n int) int { return (n + 31) / 32 }

func rounded(x []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = roundBF16(v)
	}
	return y
}
