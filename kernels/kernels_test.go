package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// sizes are the lengths around the register and sum blocks.
var sizes = []int{1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 129, 384}

// random returns n values of about unit size, a few of them large, between
// guard zones that check looks at.
func random(r *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(r.NormFloat64())
		if r.IntN(50) == 0 {
			s[i] *= 30
		}
	}
	return s
}

const guard = 17 // floats on each side; odd, so that nothing is aligned

var poison = math.Float32frombits(0x7fc0dead)

// guarded returns a slice of length n, full of NaN, with guard zones around it,
// and a function that reports a write outside it.
func guarded(t *testing.T, n int) ([]float32, func()) {
	whole := make([]float32, n+2*guard)
	for i := range whole {
		whole[i] = poison
	}
	return whole[guard : guard+n : guard+n], func() {
		t.Helper()
		for i, v := range whole {
			inside := i >= guard && i < guard+n
			if !inside && math.Float32bits(v) != math.Float32bits(poison) {
				t.Errorf("wrote at %d, outside 0 to %d", i-guard, n-1)
			}
		}
	}
}

// near fails where got is further from want than a sum of n products in
// float32 can be: each of the at most sumBlock + n/sumBlock additions rounds a
// partial sum, which the magnitude bounds, by half a unit in 2^24.
func near(t *testing.T, what string, got float32, want, magnitude float64, n int) {
	t.Helper()
	steps := float64(sumBlock+n/sumBlock) + 4
	if bound := steps * magnitude / (1 << 24); !(math.Abs(float64(got)-want) <= bound) {
		t.Errorf("%s: %g, want %g ± %g", what, got, want, bound)
	}
}

func TestLinear(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, in := range append(sizes, 1536) {
		for _, out := range []int{1, 3, 4, 5, 8} {
			for _, rows := range []int{1, 2, 3, 63, 64, 65} {
				x, w, b := random(r, rows*in), random(r, out*in), random(r, out)
				dst, check := guarded(t, rows*out)
				Linear(dst, x, w, b, rows, in, out)
				check()
				for i := range rows {
					for o := range out {
						sum, magnitude := float64(b[o]), math.Abs(float64(b[o]))
						for k := range in {
							product := float64(x[i*in+k]) * float64(w[o*in+k])
							sum += product
							magnitude += math.Abs(product)
						}
						near(t, fmt.Sprintf("in %d out %d rows %d: y[%d,%d]", in, out, rows, i, o), dst[i*out+o], sum, magnitude, in)
					}
				}
			}
		}
	}
}

// A row's result must not depend on how many rows there are, bit for bit.
func TestLinearRowsAreIndependent(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const in, out = 129, 11
	for _, rows := range []int{1, 2, 5, 64, 65, 67} {
		x, w, b := random(r, rows*in), random(r, out*in), random(r, out)
		all, alone := make([]float32, rows*out), make([]float32, out)
		Linear(all, x, w, b, rows, in, out)
		for i := range rows {
			Linear(alone, x[i*in:], w, b, 1, in, out)
			for o, v := range alone {
				if math.Float32bits(v) != math.Float32bits(all[i*out+o]) {
					t.Fatalf("rows %d: y[%d,%d] = %g, alone %g", rows, i, o, all[i*out+o], v)
				}
			}
		}
	}
}

func TestLinearPropagatesNaNAndInf(t *testing.T) {
	const in, out = 65, 5
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		for k := range in {
			x, w, b := make([]float32, 3*in), make([]float32, out*in), make([]float32, out)
			for i := range w {
				w[i] = 1
			}
			x[in+k] = bad
			dst := make([]float32, 3*out)
			Linear(dst, x, w, b, 3, in, out)
			for i, v := range dst {
				if row := i / out; row == 1 && !(v == bad || math.IsNaN(float64(bad)) && math.IsNaN(float64(v))) || row != 1 && v != 0 {
					t.Fatalf("x[1,%d] = %g: y[%d,%d] = %g", k, bad, row, i%out, v)
				}
			}
		}
	}
}

func TestGELU(t *testing.T) {
	// From the definition x·Φ(x), Φ the normal distribution: Φ(1) and Φ(2) as
	// any table of it has them.
	for _, c := range []struct{ x, want float64 }{
		{0, 0}, {1, 0.8413447460685429}, {-1, -0.15865525393145705}, {2, 2 * 0.9772498680518208}, {-2, -2 * 0.022750131948179195}, {20, 20}, {-20, 0},
	} {
		x := []float32{float32(c.x)}
		GELU(x)
		if d := math.Abs(float64(x[0]) - c.want); d > 1e-7*math.Max(1, math.Abs(c.want)) {
			t.Errorf("GELU(%g) = %g, want %g", c.x, x[0], c.want)
		}
	}
	odd := []float32{float32(math.NaN()), float32(math.Inf(1)), 1e-40}
	GELU(odd)
	if !math.IsNaN(float64(odd[0])) || !math.IsInf(float64(odd[1]), 1) || math.Abs(float64(odd[2])-0.5e-40) > 2e-45 {
		t.Errorf("GELU(NaN, +Inf, 1e-40) = %g", odd)
	}
}

func TestAddNorm(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, width := range sizes {
		for _, rows := range []int{1, 2, 5} {
			n := &Norm{Gain: random(r, width), Bias: random(r, width), Eps: 1e-12}
			x, check := guarded(t, rows*width)
			copy(x, random(r, rows*width))
			before, add := append([]float32(nil), x...), random(r, rows*width)
			AddNorm(x, add, n, rows)
			check()
			for i := range rows {
				var mean, variance float64
				for c := range width {
					mean += float64(before[i*width+c]+add[i*width+c]) / float64(width)
				}
				for c := range width {
					d := float64(before[i*width+c]+add[i*width+c]) - mean
					variance += d * d / float64(width)
				}
				for c := range width {
					z := (float64(before[i*width+c]+add[i*width+c]) - mean) / math.Sqrt(variance+n.Eps)
					want := z*float64(n.Gain[c]) + float64(n.Bias[c])
					bound := 2e-7 * (math.Abs(z*float64(n.Gain[c])) + math.Abs(float64(n.Bias[c])))
					if !(math.Abs(float64(x[i*width+c])-want) <= bound) {
						t.Errorf("width %d row %d: y[%d] = %g, want %g", width, i, c, x[i*width+c], want)
					}
				}
			}
		}
	}
}

func TestEmbedNorm(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const width, tokens, vocabulary = 33, 9, 20
	e := &Embeddings{
		Word: random(r, vocabulary*width), Position: random(r, tokens*width), Type: random(r, 2*width),
		Norm: Norm{Gain: random(r, width), Bias: random(r, width), Eps: 1e-12},
	}
	ids, types := make([]int32, tokens), make([]int32, tokens)
	want, zero := make([]float32, tokens*width), make([]float32, tokens*width)
	for i := range ids {
		ids[i], types[i] = int32(r.IntN(vocabulary)), int32(r.IntN(2))
		for c := range width {
			want[i*width+c] = e.Word[int(ids[i])*width+c] + e.Type[int(types[i])*width+c] + e.Position[i*width+c]
		}
	}
	AddNorm(want, zero, &e.Norm, tokens)
	dst, check := guarded(t, tokens*width)
	EmbedNorm(dst, ids, types, 0, e)
	check()
	for i := range want {
		if dst[i] != want[i] {
			t.Fatalf("y[%d] = %g, want %g", i, dst[i], want[i])
		}
	}
}

func TestAttention(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, heads := range []Heads{{1, 1}, {2, 3}, {3, 8}, {2, 32}} {
		width := heads.Count * heads.Size
		for _, keys := range []int{1, 2, 7, 31, 32, 33, 65} {
			for _, queries := range []int{1, keys} {
				q, kv := random(r, queries*(width+3)), random(r, keys*(2*width+5))
				qs, kvs := width+3, 2*width+5
				k, v := kv, kv[width:]
				dst, check := guarded(t, queries*width)
				scores, checkScores := guarded(t, keys)
				Attention(dst, q, k, v, queries, keys, qs, kvs, heads, scores)
				check()
				checkScores()
				for i := range queries {
					for h := range heads.Count {
						weights := make([]float64, keys)
						largest, sum := math.Inf(-1), 0.0
						for j := range weights {
							for c := h * heads.Size; c < (h+1)*heads.Size; c++ {
								weights[j] += float64(q[i*qs+c]) * float64(k[j*kvs+c]) / math.Sqrt(float64(heads.Size))
							}
							largest = math.Max(largest, weights[j])
						}
						for j := range weights {
							weights[j] = math.Exp(weights[j] - largest)
							sum += weights[j]
						}
						for c := h * heads.Size; c < (h+1)*heads.Size; c++ {
							var want, magnitude float64
							for j, weight := range weights {
								want += weight / sum * float64(v[j*kvs+c])
								magnitude = math.Max(magnitude, math.Abs(float64(v[j*kvs+c])))
							}
							// A score's rounding error, about its size/2^24 per
							// step, is a relative error of its weight.
							if d := math.Abs(float64(dst[i*width+c]) - want); !(d <= 1e-4*magnitude) {
								t.Errorf("%v keys %d: y[%d,%d] = %g, want %g", heads, keys, i, c, dst[i*width+c], want)
							}
						}
					}
				}
			}
		}
	}
}

// Scores far apart and far from zero must neither overflow nor vanish.
func TestAttentionOfLargeScores(t *testing.T) {
	q, k, v := []float32{100}, []float32{100, -100, 99.9}, []float32{1, 2, 3}
	dst := make([]float32, 1)
	Attention(dst, q, k, v, 1, 3, 1, 1, Heads{1, 1}, make([]float32, 3))
	w := math.Exp(100*float64(float32(99.9)) - 100*100)
	if want := (1 + 3*w) / (1 + w); math.Abs(float64(dst[0])-want) > 1e-6*want {
		t.Errorf("got %g, want %g", dst[0], want)
	}
}

func TestShortSlicesPanicBeforeWriting(t *testing.T) {
	const rows, in, out = 3, 5, 4
	for name, cut := range map[string][4]int{"dst": {1, 0, 0, 0}, "x": {0, 1, 0, 0}, "w": {0, 0, 1, 0}, "b": {0, 0, 0, 1}} {
		t.Run(name, func(t *testing.T) {
			exact := func(n int) []float32 { return make([]float32, n)[:n:n] }
			dst := exact(rows*out - cut[0])
			x, w, b := exact(rows*in-cut[1]), exact(out*in-cut[2]), exact(out-cut[3])
			for i := range b {
				b[i] = 1
			}
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
				for i, v := range dst {
					if v != 0 {
						t.Fatalf("wrote dst[%d]", i)
					}
				}
			}()
			Linear(dst, x, w, b, rows, in, out)
		})
	}
}
