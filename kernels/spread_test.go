package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// spreadWidths are widths that are spread, of all kinds: fours of blocks, threes, others.
var spreadWidths = []int{128, 256, 384, 512, 640, 768, 1024, 1536, 3072}

// What is spread keeps its products: of two rows, one of them divided by the square.
func TestSpreadKeepsProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(77, 78))
	for _, width := range spreadWidths {
		x, w := random(r, width), random(r, width)
		xs, ws := make([]float32, width), make([]float32, width)
		Generic.spread(xs, x)
		ws = Generic.spreadWeights(ws, w)
		want, got, size := 0.0, 0.0, 0.0
		for i := range x {
			want += float64(x[i]) * float64(w[i])
			got += float64(xs[i]) * float64(ws[i])
			size += float64(x[i]) * float64(x[i])
		}
		if bound := size / (1 << 20); !(math.Abs(got-want) <= bound) {
			t.Errorf("width %d: %g, want %g ± %g", width, got, want, bound)
		}
	}
}

// One value becomes at least 8 that are smaller.
func TestSpreadSpreads(t *testing.T) {
	for _, width := range spreadWidths {
		for _, at := range []int{0, 77, width - 1} {
			x, y := make([]float32, width), make([]float32, width)
			x[at] = 1
			Generic.spread(y, x)
			most, length := 0.0, math.Sqrt(float64(spreadSquare(width)))
			others := 0
			for _, v := range y {
				most = max(most, math.Abs(float64(v))/length)
				if v != 0 {
					others++
				}
			}
			if others < 8 || most > 0.36 {
				t.Errorf("width %d: 1 at %d became %d values of up to %g", width, at, others, most)
			}
		}
	}
}

// Every instruction set spreads as plain Go does, bit for bit, and writes nothing else.
func TestSpreadIsTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(79, 80))
	for _, isa := range Permitted() {
		t.Run(isa.String(), func(t *testing.T) {
			for _, width := range spreadWidths {
				x := random(r, width)
				if width > 128 {
					x[5], x[200] = 1e30, float32(math.Inf(-1))
				}
				want := make([]float32, width)
				Generic.spread(want, x)
				before := slices.Clone(x)
				got, check := guarded(t, width)
				isa.spread(got, x)
				check()
				for i := range want {
					if !same(got[i], want[i]) {
						t.Fatalf("width %d: [%d] = %g, want %g", width, i, got[i], want[i])
					}
				}
				if !slices.Equal(x, before) {
					t.Fatalf("width %d: x has changed", width)
				}
			}
		})
	}
}
