package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

func roundAway(x float32) float32 {
	if x != x {
		return x
	}
	return math.Float32frombits((math.Float32bits(x) + 0x8000) &^ 0xffff)
}

func chainAttentionBF16(q, k, v []float32, keys, kvs, size int) []float32 {
	scale := float32(math.Log2E / math.Sqrt(float64(size)))
	s, largest := make([]float32, keys+keys&1), float32(math.Inf(-1))
	for j := range s {
		s[j] = float32(math.Inf(-1))
		if j < keys {
			s[j] = 0
			for c := 0; c < size; c += 2 {
				s[j] = fma(k[j*kvs+c+1], q[c+1], s[j])
				s[j] = fma(k[j*kvs+c], q[c], s[j])
			}
		}
		if !(largest > s[j]) {
			largest = s[j]
		}
	}
	p := []float32{1, 0.6932829022407532, 0.24221095442771912, 0.05500893294811249}
	var sum float32
	for j := range s {
		y := max(-127, (s[j]-largest)*scale)
		n := float32(math.RoundToEven(float64(y)))
		e := p[len(p)-1]
		for i := len(p) - 2; i >= 0; i-- {
			e = fma(e, y-n, p[i])
		}
		s[j] = e * math.Float32frombits(uint32(127+n)<<23)
		sum += s[j]
	}
	out := make([]float32, size)
	for c := range out {
		for j := 0; j < len(s); j += 2 {
			if j+1 < keys {
				out[c] = fma(roundAway(s[j+1]), v[(j+1)*kvs+c], out[c])
			}
			out[c] = fma(roundAway(s[j]), v[j*kvs+c], out[c])
		}
		out[c] *= 1 / sum
	}
	return out
}

func TestAttentionBF16IsTheChain(t *testing.T) {
	r := rand.New(rand.NewPCG(71, 72))
	isa := Best()
	if !isa.AttendsBF16(Heads{1, 32}) {
		t.Skip("this processor has no bfloat16")
	}
	for _, heads := range []Heads{{2, 32}, {1, 64}, {1, 96}} {
		width := heads.Count * heads.Size
		for _, keys := range []int{1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 65, 512} {
			for _, queries := range []int{1, 2, 7, 8, 9, 15, 16, 17, 31, 33, keys} {
				if keys > 100 && (queries > 40 || heads.Count == 1) {
					continue
				}
				qs, kvs := width+3, 2*width+5
				values := random(r, queries*qs+keys*kvs)
				for i := range values {
					values[i] = roundBF16(values[i])
				}
				narrow := make([]uint16, len(values))
				isa.RoundBF16(narrow, values)
				q, kv := narrow[:(queries-1)*qs+width], narrow[queries*qs:]
				k, v := kv[:len(kv)-width-5], kv[width:len(kv)-5]
				dst, check := guarded(t, queries*width)
				scratch, checkScratch := guarded(t, isa.AttentionScratch(keys, heads))
				isa.AttentionBF16(dst, q, k, v, queries, keys, qs, kvs, heads, scratch)
				check()
				checkScratch()
				for i := range queries {
					for h := range heads.Count {
						c := h * heads.Size
						want := chainAttentionBF16(values[i*qs+c:], values[queries*qs+c:], values[queries*qs+width+c:], keys, kvs, heads.Size)
						for x, w := range want {
							// The smallest weights are denormal: counted as 0 there.
							if got := dst[i*width+c+x]; math.Abs(float64(got-w)) > 1e-36 && !same(got, w) {
								t.Fatalf("%v, %d queries, %d keys: y[%d,%d] = %g, want %g", heads, queries, keys, i, c+x, got, w)
							}
						}
					}
				}
			}
		}
	}
}

func TestAttentionBF16OfOddValues(t *testing.T) {
	heads, n, isa := Heads{1, 32}, 37, Best()
	if !isa.AttendsBF16(heads) {
		t.Skip("this processor has no bfloat16")
	}
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e-40} {
		for _, at := range []int{5 * 96, 5*96 + 32, 5*96 + 64, 36*96 + 63, 36*96 + 95} {
			r := rand.New(rand.NewPCG(75, 76))
			qkv := make([]float32, n*96)
			for i := range qkv {
				qkv[i] = roundBF16(float32(r.NormFloat64()))
			}
			qkv[at] = bad
			narrow := make([]uint16, len(qkv))
			isa.RoundBF16(narrow, qkv)
			got, want := make([]float32, n*32), make([]float32, n*32)
			isa.AttentionBF16(got, narrow, narrow[32:], narrow[64:], n, n, 96, 96, heads, make([]float32, isa.AttentionScratch(n, heads)))
			Attention(want, qkv, qkv[32:], qkv[64:], n, n, 96, 96, heads, make([]float32, n))
			for i := range want {
				g, w := float64(got[i]), float64(want[i])
				if math.IsNaN(g) != math.IsNaN(w) || math.IsInf(w, 0) && g != w || !math.IsInf(w, 0) && math.Abs(g-w) > 0.02 {
					t.Fatalf("%g at %d: y[%d,%d] = %g, in float32 %g", bad, at, i/32, i%32, g, w)
				}
			}
		}
	}
}
