package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// geluBound is the error that ISA.GELU states, relative to |x|.
const geluBound = 2.5 / (1 << 24)

func TestVectorGELU(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		// Every 1021st float32: all signs and exponents, NaN and Inf among them.
		const step = 1021
		x := make([]float32, 0, 1<<32/step+1)
		for bits := uint64(0); bits < 1<<32; bits += step {
			x = append(x, math.Float32frombits(uint32(bits)))
		}
		got := append([]float32(nil), x...)
		Variant{isa, F32}.GELU(got)
		for i, v := range x {
			exact := float64(v) * 0.5 * math.Erfc(-float64(v)/math.Sqrt2)
			switch {
			case v != v:
				if got[i] == got[i] {
					t.Fatalf("GELU(NaN) = %g", got[i])
				}
			case v < -5.5:
				if got[i] != 0 && !math.IsInf(float64(v), -1) {
					t.Fatalf("GELU(%g) = %g, want 0", v, got[i])
				}
			case v > 5.5:
				if got[i] != v {
					t.Fatalf("GELU(%g) = %g, want it unchanged", v, got[i])
				}
			case math.Abs(float64(got[i])-exact) > geluBound*math.Abs(float64(v))+math.SmallestNonzeroFloat32:
				t.Fatalf("GELU(%g) = %g, want %g", v, got[i], exact)
			}
		}
	})
}

func TestVectorGELUOfEveryLength(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		r := rand.New(rand.NewPCG(31, 32))
		for n := range 150 {
			x, check := guarded(t, n)
			copy(x, random(r, n))
			want := make([]float32, n)
			for i, v := range x {
				one := []float32{v}
				Variant{isa, F32}.GELU(one)
				want[i] = one[0]
			}
			Variant{isa, F32}.GELU(x)
			check()
			for i, v := range x {
				if !same(v, want[i]) {
					t.Fatalf("length %d: GELU(x[%d]) = %g, alone %g", n, i, v, want[i])
				}
			}
		}
	})
}

// LinearGELU is Linear, then GELU, bit for bit.
func TestMatrixGELU(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		r := rand.New(rand.NewPCG(33, 34))
		for _, out := range []int{1, 16, 47, 48, 49, 97} {
			const in, rows = 33, 11
			w, bias, x := random(r, out*in), random(r, out), random(r, rows*in)
			m := Pack(w, bias, out, in, Variant{isa, F32}, Inputs{})
			want := make([]float32, rows*out)
			var xs Input
			xs.Set(m.variant, x, rows, in, in, Keep{})
			m.Linear(want, &xs, out)
			Variant{isa, F32}.GELU(want)
			dst, check := guarded(t, rows*out)
			m.LinearGELU(dst, &xs, out)
			check()
			for i := range want {
				if !same(dst[i], want[i]) {
					t.Fatalf("out %d: y[%d,%d] = %g, want %g", out, i/out, i%out, dst[i], want[i])
				}
			}
		}
	})
}

func TestVectorAddNorm(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		r := rand.New(rand.NewPCG(35, 36))
		for _, width := range []int{1, 15, 16, 17, 32, 48, 384, 768} {
			for _, rows := range []int{1, 2, 5} {
				n := &Norm{Gain: random(r, width), Bias: random(r, width), Eps: 1e-12}
				x, check := guarded(t, rows*width)
				copy(x, random(r, rows*width))
				before, add := append([]float32(nil), x...), random(r, rows*width)
				isa.AddNorm(x, add, n, rows)
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
						bound := (math.Abs(z)+1)*math.Abs(float64(n.Gain[c]))/(1<<21) + math.Abs(want)/(1<<23)
						if !(math.Abs(float64(x[i*width+c])-want) <= bound) {
							t.Fatalf("width %d row %d: y[%d] = %g, want %g ± %g", width, i, c, x[i*width+c], want, bound)
						}
					}
				}
			}
		}
	})
}

// chainNorm is what the vector LayerNorm computes, said plainly.
func chainNorm(x, r []float32, n *Norm) []float32 {
	total := func(s [lanes]float32) float32 {
		for half := lanes / 2; half > 0; half /= 2 {
			for i := range half {
				s[i] += s[i+half]
			}
		}
		return s[0]
	}
	y, count := make([]float32, len(x)), float32(len(x))
	var sum, squares [lanes]float32
	for c := range x {
		y[c] = x[c] + r[c]
		sum[c%lanes] += y[c]
	}
	mean := total(sum) / count
	for c := range y {
		d := y[c] - mean
		squares[c%lanes] = fma(d, d, squares[c%lanes])
	}
	scale := 1 / float32(math.Sqrt(float64(total(squares)/count+float32(n.Eps))))
	for c := range y {
		y[c] = fma((y[c]-mean)*scale, n.Gain[c], n.Bias[c])
	}
	return y
}

func TestVectorAddNormIsTheChain(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		r := rand.New(rand.NewPCG(37, 38))
		for _, width := range []int{16, 48, 384} {
			n := &Norm{Gain: random(r, width), Bias: random(r, width), Eps: 1e-12}
			for _, bad := range []float32{0, 1e-40, 1e30, float32(math.Inf(1)), float32(math.NaN())} {
				x, add := random(r, 3*width), random(r, 3*width)
				x[width+3] = bad
				want := make([]float32, 0, 3*width)
				for i := range 3 {
					want = append(want, chainNorm(row(x, i, width), row(add, i, width), n)...)
				}
				isa.AddNorm(x, add, n, 3)
				for i, v := range x {
					if !same(v, want[i]) {
						t.Fatalf("width %d with %g: y[%d,%d] = %g, want %g", width, bad, i/width, i%width, v, want[i])
					}
				}
			}
		}
	})
}

func TestVectorEmbedNorm(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		r := rand.New(rand.NewPCG(39, 40))
		for _, width := range []int{16, 33, 384} {
			const tokens, vocabulary = 9, 20
			e := &Embeddings{
				Word: random(r, vocabulary*width), Position: random(r, tokens*width), Type: random(r, 2*width),
				Norm: Norm{Gain: random(r, width), Bias: random(r, width), Eps: 1e-12},
			}
			ids, types := make([]int32, tokens), make([]int32, tokens)
			for i := range ids {
				ids[i], types[i] = int32(r.IntN(vocabulary)), int32(r.IntN(2))
			}
			want := make([]float32, tokens*width)
			for i := range want {
				id, typ := int(ids[i/width]), int(types[i/width])
				want[i] = e.Word[id*width+i%width] + e.Type[typ*width+i%width]
			}
			isa.AddNorm(want, e.Position, &e.Norm, tokens)
			dst, check := guarded(t, tokens*width)
			isa.EmbedNorm(dst, ids, types, 0, e)
			check()
			for i := range want {
				if !same(dst[i], want[i]) {
					t.Fatalf("width %d: y[%d] = %g, want %g", width, i, dst[i], want[i])
				}
			}
		}
	})
}

func TestShortGELU(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		v := Variant{isa, Int8}
		var x []float32
		for at := float32(-6); at < 6; at += 1.0 / 1024 {
			x = append(x, at)
		}
		x = append(x, float32(math.Inf(1)), -4.00001, 4.00001, -1e30, 1e30, float32(math.NaN()), 1e-40)
		got := slices.Clone(x)
		v.GELU(got)
		for i, value := range x {
			exact := float64(value) * 0.5 * math.Erfc(-float64(value)/math.Sqrt2)
			switch {
			case value != value:
				if got[i] == got[i] {
					t.Errorf("GELU(NaN) = %g", got[i])
				}
			case value < -4 && got[i] != 0, value > 4 && got[i] != value:
				t.Errorf("GELU(%g) = %g", value, got[i])
			case math.Abs(float64(value)) <= 4 && !(math.Abs(float64(got[i])-exact) <= 3.2e-5*max(1, math.Abs(float64(value)))):
				t.Errorf("GELU(%g) = %g, want %g", value, got[i], exact)
			}
		}
	})
}
