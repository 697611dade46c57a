package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// chainExp2 is the vector kernels' 2^y for y ≤ 0, said plainly.
func chainExp2(y float32) float32 {
	if y < -127 {
		y = -127
	}
	n := float32(math.RoundToEven(float64(y)))
	if y != y {
		return y
	}
	p := []float32{
		1, 0.6931471824645996, 0.24022647738456726, 0.055503323674201965,
		0.00961843691766262, 0.0013398875016719103, 0.00015353361959569156,
	}
	e := p[len(p)-1]
	for k := len(p) - 2; k >= 0; k-- {
		e = fma(e, y-n, p[k])
	}
	return e * math.Float32frombits(uint32(127+n)<<23)
}

// chainAttention is what the vector kernels compute for one query and head,
// said plainly.
func chainAttention(q, k, v []float32, keys, kvs, size int) []float32 {
	scale := float32(math.Log2E / math.Sqrt(float64(size)))
	s, largest := make([]float32, keys), float32(math.Inf(-1))
	for j := range s {
		for c := range size {
			s[j] = fma(k[j*kvs+c], q[c], s[j])
		}
		if !(largest > s[j]) {
			largest = s[j]
		}
	}
	var sum float32
	for j := range s {
		s[j] = chainExp2((s[j] - largest) * scale)
		sum += s[j]
	}
	y := make([]float32, size)
	for c := range y {
		for j := range s {
			y[c] = fma(s[j], v[j*kvs+c], y[c])
		}
		y[c] *= 1 / sum
	}
	return y
}

func TestExp2(t *testing.T) {
	worst := 0.0
	for y := float32(0); y > -126; y -= 0.000977 {
		exact := math.Exp2(float64(y))
		ulp := math.Ldexp(1, math.Ilogb(exact)-23)
		worst = max(worst, math.Abs(float64(chainExp2(y))-exact)/ulp)
	}
	if worst > 1 {
		t.Errorf("off by %.3f units in the last place, want at most 1", worst)
	}
	if got := chainExp2(-1e9); got != 0 {
		t.Errorf("2^-1e9 = %g", got)
	}
}

// Every query is the plain chain, bit for bit: at all numbers of queries and
// keys around a tile, at odd strides, with nothing written outside.
func TestVectorAttentionIsTheChain(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		r := rand.New(rand.NewPCG(51, 52))
		for _, heads := range []Heads{{2, 32}, {1, 64}, {1, 96}} {
			width := heads.Count * heads.Size
			for _, keys := range []int{1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 65, 512} {
				for _, queries := range []int{1, 2, 7, 8, 9, 15, 16, 17, 31, 33, keys} {
					if keys > 100 && (queries > 40 || heads.Count == 1) {
						continue
					}
					qs, kvs := width+3, 2*width+5
					q, kv := random(r, (queries-1)*qs+width), random(r, keys*kvs)
					k, v := kv[:len(kv)-width-5], kv[width:len(kv)-5]
					dst, check := guarded(t, queries*width)
					scratch, checkScratch := guarded(t, isa.AttentionScratch(keys, heads))
					isa.Attention(dst, q, k, v, queries, keys, qs, kvs, heads, scratch)
					check()
					checkScratch()
					for i := range queries {
						for h := range heads.Count {
							c := h * heads.Size
							want := chainAttention(q[i*qs+c:], k[c:], v[c:], keys, kvs, heads.Size)
							for x, w := range want {
								if got := dst[i*width+c+x]; !same(got, w) {
									t.Fatalf("%v, %d queries, %d keys: y[%d,%d] = %g, want %g", heads, queries, keys, i, c+x, got, w)
								}
							}
						}
					}
				}
			}
		}
	})
}

// The result is as near to the exact one as the generic kernel's.
func TestVectorAttentionError(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		r := rand.New(rand.NewPCG(53, 54))
		heads, n := Heads{2, 32}, 200
		width := heads.Count * heads.Size
		qkv := make([]float32, 3*n*width)
		for i := range qkv {
			qkv[i] = float32(r.NormFloat64())
		}
		got, generic := make([]float32, n*width), make([]float32, n*width)
		isa.Attention(got, qkv, qkv[width:], qkv[2*width:], n, n, 3*width, 3*width, heads, make([]float32, isa.AttentionScratch(n, heads)))
		Attention(generic, qkv, qkv[width:], qkv[2*width:], n, n, 3*width, 3*width, heads, make([]float32, n))
		var g, e float64
		for i := range n {
			for h := range heads.Count {
				c := h * heads.Size
				weights, sum := make([]float64, n), 0.0
				for j := range weights {
					for x := range heads.Size {
						weights[j] += float64(qkv[i*3*width+c+x]) * float64(qkv[j*3*width+width+c+x])
					}
					weights[j] = math.Exp(weights[j] / math.Sqrt(float64(heads.Size)))
					sum += weights[j]
				}
				for x := range heads.Size {
					var exact float64
					for j := range weights {
						exact += weights[j] / sum * float64(qkv[j*3*width+2*width+c+x])
					}
					e += math.Abs(float64(got[i*width+c+x]) - exact)
					g += math.Abs(float64(generic[i*width+c+x]) - exact)
				}
			}
		}
		t.Logf("mean error %.3g, generic %.3g", e/float64(n*width), g/float64(n*width))
		if e > 1.5*g {
			t.Errorf("mean error %.3g, generic %.3g", e/float64(n*width), g/float64(n*width))
		}
	})
}

// NaN and infinities in a key reach every query, in a query that query alone,
// as with the generic kernel; denormals do no harm.
func TestVectorAttentionOfOddValues(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		heads, n := Heads{1, 32}, 37
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e-40, 3e38} {
			for _, at := range []int{5 * 96, 5*96 + 32, 5*96 + 64, 36*96 + 63} {
				r := rand.New(rand.NewPCG(55, 56))
				qkv := make([]float32, n*96)
				for i := range qkv {
					qkv[i] = float32(r.NormFloat64())
				}
				qkv[at] = bad
				got, want := make([]float32, n*32), make([]float32, n*32)
				isa.Attention(got, qkv, qkv[32:], qkv[64:], n, n, 96, 96, heads, make([]float32, isa.AttentionScratch(n, heads)))
				Attention(want, qkv, qkv[32:], qkv[64:], n, n, 96, 96, heads, make([]float32, n))
				for i := range want {
					g, w := float64(got[i]), float64(want[i])
					if math.IsNaN(g) != math.IsNaN(w) || math.IsInf(w, 0) && g != w || math.Abs(g-w) > 1e-4*max(1, math.Abs(w)) && !math.IsInf(w, 0) {
						t.Fatalf("%g at %d: y[%d,%d] = %g, generic %g", bad, at, i/32, i%32, g, w)
					}
				}
			}
		}
	})
}
