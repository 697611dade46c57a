package kernels

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// narrowed runs a test on every variant with assembly whose operands are not
// float32.
func narrowed(t *testing.T, test func(t *testing.T, v Variant)) {
	for _, v := range Variants() {
		if v.ISA != Generic && v.Format != F32 {
			t.Run(v.String(), func(t *testing.T) { test(t, v) })
		}
	}
}

// chainBF16 is what each output of a product of bfloat16 is, said plainly: of a
// pair the odd product is added first.
func chainBF16(x, w []float32, bias float32) float32 {
	total := bias
	for len(x) > 0 {
		n := min(len(x), 2*sumBlock)
		var sum float32
		for k := 0; k < n; k += 2 {
			if k+1 < n {
				sum = fma(roundBF16(x[k+1]), roundBF16(w[k+1]), sum)
			}
			sum = fma(roundBF16(x[k]), roundBF16(w[k]), sum)
		}
		total += sum
		x, w = x[n:], w[n:]
	}
	return total
}

// exact returns what a narrow product must be, bit for bit: the plain chain, or
// for integers the plain kernel.
func exact(v Variant, x, w, bias []float32, rows, out, in int) []float32 {
	want := make([]float32, rows*out)
	if v.Format == Int8 {
		Pack(w, bias, out, in, Variant{Generic, Int8}, nil).multiply(want, x, rows, out, in)
		return want
	}
	chain := chainBF16
	if v.Format == F16 {
		chain = chainF16
	}
	for i := range rows {
		for o := range out {
			want[i*out+o] = chain(x[i*in:][:in], w[o*in:][:in], bias[o])
		}
	}
	return want
}

func TestNarrowMatrixIsExact(t *testing.T) {
	narrowed(t, func(t *testing.T, v Variant) {
		r := rand.New(rand.NewPCG(61, 62))
		for _, in := range []int{1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200, 384} {
			for _, out := range []int{1, 15, 16, 17, 47, 48, 49, 97} {
				w, bias := random(r, out*in), random(r, out)
				m := Pack(w, bias, out, in, v, nil)
				for _, rows := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17} {
					dstStride, xStride := out+rows%3, in+rows%2
					x := random(r, rows*xStride)
					dense := make([]float32, 0, rows*in)
					for i := range rows {
						dense = append(dense, x[i*xStride:][:in]...)
					}
					want := exact(v, dense, w, bias, rows, out, in)
					dst, check := guarded(t, (rows-1)*dstStride+out)
					m.multiply(dst, x, rows, dstStride, xStride)
					check()
					for i := range rows {
						for o := range out {
							if got := dst[i*dstStride+o]; !same(got, want[i*out+o]) {
								t.Fatalf("in %d out %d rows %d: y[%d,%d] = %g, want %g", in, out, rows, i, o, got, want[i*out+o])
							}
						}
						if i+1 < rows {
							for o := out; o < dstStride; o++ {
								if math.Float32bits(dst[i*dstStride+o]) != math.Float32bits(poison) {
									t.Fatalf("in %d out %d rows %d: wrote between rows %d and %d", in, out, rows, i, i+1)
								}
							}
						}
					}
				}
			}
		}
	})
}

// More rows than one block of x, and MiniLM's sizes.
func TestNarrowMatrixOfManyRows(t *testing.T) {
	narrowed(t, func(t *testing.T, v Variant) {
		r := rand.New(rand.NewPCG(63, 64))
		for _, s := range []struct{ in, out, rows int }{{384, 1152, 261}, {1536, 384, 67}, {20000, 50, 11}} {
			w, bias, x := random(r, s.out*s.in), random(r, s.out), random(r, s.rows*s.in)
			dst, check := guarded(t, s.rows*s.out)
			Pack(w, bias, s.out, s.in, v, nil).multiply(dst, x, s.rows, s.out, s.in)
			check()
			for range 50 {
				i := r.IntN(s.rows)
				o := r.IntN(s.out)
				want := exact(v, x[i*s.in:][:s.in], w[o*s.in:][:s.in], bias[o:o+1], 1, 1, s.in)[0]
				if !same(dst[i*s.out+o], want) {
					t.Fatalf("%v: y[%d,%d] = %g, want %g", s, i, o, dst[i*s.out+o], want)
				}
			}
		}
	})
}

// Every float32 exponent, ties and halves rounds as roundBF16 says.
func TestInputBF16(t *testing.T) {
	narrowed(t, func(t *testing.T, v Variant) {
		if v.Format != BF16 {
			t.Skip("not bfloat16")
		}
		const step = 4093 // odd: all endings of the mantissa
		x := make([]float32, 0, 1<<32/step+1)
		for bits := uint64(0); bits < 1<<32; bits += step {
			x = append(x, math.Float32frombits(uint32(bits)))
		}
		for _, tie := range []uint32{0x3f808000, 0x3f818000, 0x3f807fff, 0x3f808001, 0x7f7fffff, 0x7f800000, 0x00008000} {
			x = append(x, math.Float32frombits(tie), -math.Float32frombits(tie))
		}
		var in Input
		in.Set(v, x, 1, len(x), len(x), Keep{})
		for i, value := range x {
			got := math.Float32frombits(uint32(in.narrow[2*i])<<16 | uint32(in.narrow[2*i+1])<<24)
			if !same(got, roundBF16(value)) {
				t.Fatalf("%g (%08x) = %g, want %g", value, math.Float32bits(value), got, roundBF16(value))
			}
		}
	})
}

// A row's integers stand for its values to within half a step, the ends are
// exact up to rounding, and all instruction sets have the same ones.
func TestInputInt8(t *testing.T) {
	r := rand.New(rand.NewPCG(65, 66))
	for _, width := range append(slices.Clone(sizes), 1536) {
		for _, spread := range []float64{1, 1e-30, 1e30, 0, 1e-44} {
			x := random(r, width)
			for i := range x {
				x[i] = float32(float64(x[i])*spread + 3*spread)
			}
			var plain Input
			plain.Set(Variant{Generic, Int8}, x, 1, width, width, Keep{})
			scale, offset := plain.ofRows[rowScale], plain.ofRows[rowOffset]
			for i, v := range x {
				q := float64(int8(plain.narrow[i]))
				if back := q*float64(scale) + float64(offset); !(math.Abs(back-float64(v)) <= 0.501*float64(scale)+math.Abs(float64(v))/(1<<22)) {
					t.Fatalf("width %d spread %g: %g became %g, steps are %g", width, spread, v, back, scale)
				}
			}
			for _, isa := range available() {
				if !slices.Contains(isa.Formats(), Int8) {
					continue
				}
				v := Variant{isa, Int8}
				var in Input
				in.Set(v, x, 1, width, width, Keep{})
				if in.ofRows[rowScale] != scale || in.ofRows[rowOffset] != offset {
					t.Fatalf("%v: width %d: scale %g offset %g, want %g and %g", isa, width, in.ofRows[rowScale], in.ofRows[rowOffset], scale, offset)
				}
				for i := range x {
					got := int(int8(in.narrow[v.xSize()*i]))
					if v.unsigned() {
						got = int(in.narrow[i]) - 128
					}
					if got != int(int8(plain.narrow[i])) {
						t.Fatalf("%v: width %d spread %g: q[%d] = %d, want %d", isa, width, spread, i, got, int8(plain.narrow[i]))
					}
				}
			}
		}
	}
}

// A row with a value that is not finite gives NaN, or where formats have infinities
// what float32 would; other rows do not notice. Denormals do no harm.
func TestNarrowMatrixOfOddValues(t *testing.T) {
	all := func(t *testing.T, v Variant) {
		const in, out, rows = 65, 50, 9
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e-40, -3e-45} {
			for k := range in {
				x, w := make([]float32, rows*in), make([]float32, out*in)
				for i := range w {
					w[i] = 1
				}
				x[3*in+k] = bad
				dst := make([]float32, rows*out)
				Pack(w, make([]float32, out), out, in, v, nil).multiply(dst, x, rows, out, in)
				for i, y := range dst {
					finite := math.Abs(float64(bad)) < 1
					if i/out != 3 || finite {
						if math.Abs(float64(y)) > 1e-30 {
							t.Fatalf("x[3,%d] = %g: y[%d,%d] = %g", k, bad, i/out, i%out, y)
						}
					} else if v.Format == Int8 && y == y || v.Format != Int8 && !same(y, bad) {
						t.Fatalf("x[3,%d] = %g: y[3,%d] = %g", k, bad, i%out, y)
					}
				}
			}
		}
	}
	narrowed(t, all)
	t.Run("plain int8", func(t *testing.T) { all(t, Variant{Generic, Int8}) })
	t.Run("plain half", func(t *testing.T) { all(t, Variant{Generic, F16}) })
}

// Integers lose what their steps are too coarse for, and no more: each product
// is off by at most half a step of each operand.
func TestInt8Error(t *testing.T) {
	r := rand.New(rand.NewPCG(67, 68))
	const in, out, rows = 384, 24, 16
	x, w, bias := make([]float32, rows*in), make([]float32, out*in), make([]float32, out)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	for i := range w {
		w[i] = float32(r.NormFloat64() * 0.05)
	}
	dst := make([]float32, rows*out)
	Pack(w, bias, out, in, Variant{Generic, Int8}, nil).multiply(dst, x, rows, out, in)
	var errors, size float64
	for i := range dst {
		var want float64
		for k := range in {
			want += float64(x[i/out*in+k]) * float64(w[i%out*in+k])
		}
		errors += (float64(dst[i]) - want) * (float64(dst[i]) - want)
		size += want * want
	}
	// Steps are about 6/254 of x's deviation and 6/254 of w's, each off by a
	// step's 1/√12: together √2·6/254/√12, or 0.0096.
	if rms := math.Sqrt(errors / size); !(rms > 0.004 && rms < 0.015) {
		t.Errorf("error %.4f of the size", rms)
	}
}

// Where the environment names instruction sets, as .ci/run does for its machines,
// they must be there: the tests above would pass without them.
func TestRequiredInstructionSets(t *testing.T) {
	names := os.Getenv("MINILM_ISA")
	if names == "" {
		t.Skip("MINILM_ISA is not set")
	}
	for name := range strings.SplitSeq(names, ",") {
		if isa, err := ParseISA(name); err != nil || !slices.Contains(Available(), isa) {
			t.Errorf("%s is not among %v (%v)", name, Available(), err)
		}
	}
}

func TestVariants(t *testing.T) {
	for _, v := range Variants() {
		if err := v.Check(); err != nil {
			t.Error(err)
		}
		if f, err := ParseFormat(v.Format.String()); f != v.Format || err != nil {
			t.Errorf("ParseFormat(%q) = %v, %v", v.Format.String(), f, err)
		}
	}
	for _, v := range []Variant{{Generic, Int8 + 1}, {AVX512BF16 + 1, F32}, {AVX2, BF16}, {NEON, BF16}, {NEON, F16}} {
		if err := v.Check(); err == nil {
			t.Errorf("%v: no error", v)
		}
	}
	if _, err := ParseFormat("int3"); err == nil {
		t.Error("int3: no error")
	}
}

// roundAway rounds to the nearest bfloat16, ties away from 0.
func roundAway(x float32) float32 {
	if x != x {
		return x
	}
	return math.Float32frombits((math.Float32bits(x) + 0x8000) &^ 0xffff)
}

// chainAttentionBF16 is what AttentionBF16 computes for one query and head, said
// plainly.
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

// Every query is the plain chain, bit for bit, as with float32.
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

// A product whose input keeps rows and channels is the same on every instruction
// set, and the kept rows and channels are nearly what float32 gives.
func TestKeep(t *testing.T) {
	test := func(t *testing.T, v Variant) {
		r := rand.New(rand.NewPCG(73, 74))
		for _, in := range []int{16, 33, 64, 129, 384} {
			for _, out := range []int{1, 16, 48, 50, 97} {
				for _, rows := range []int{1, 2, 7, 8, 9, 20} {
					w, bias, x := random(r, out*in), random(r, out), random(r, rows*in)
					keep := Keep{Channels: []int{in - 1, 3, 7, 2}[:r.IntN(5)]}
					for i := range rows {
						if r.IntN(3) == 0 {
							keep.Rows = append(keep.Rows, i)
						}
						for _, c := range keep.Channels {
							x[i*in+c] *= 1000
						}
					}
					product := func(v Variant, gelu bool) []float32 {
						var xs Input
						xs.Set(v, x, rows, in, in, keep)
						m := Pack(w, bias, out, in, v, keep.Channels)
						dst, check := guarded(t, rows*out)
						if gelu {
							m.LinearGELU(dst, &xs, out)
						} else {
							m.Linear(dst, &xs, out)
						}
						check()
						return dst
					}
					got, want := product(v, false), product(Variant{Generic, Int8}, false)
					for i := range want {
						if !same(got[i], want[i]) {
							t.Fatalf("in %d out %d rows %d keep %v: y[%d,%d] = %g, want %g", in, out, rows, keep, i/out, i%out, got[i], want[i])
						}
					}
					if v.ISA != Generic {
						after := product(v, true)
						v.GELU(got)
						for i := range got {
							if !same(after[i], got[i]) {
								t.Fatalf("in %d out %d rows %d keep %v: GELU(y[%d,%d]) = %g, want %g", in, out, rows, keep, i/out, i%out, after[i], got[i])
							}
						}
					}
					// What 8 bits of the weights leave: 1/254 of the largest for each
					// product, about √in of which add up.
					for _, i := range keep.Rows {
						for o := range out {
							exact, size := float64(bias[o]), 0.0
							for c := range in {
								p := float64(x[i*in+c]) * float64(w[o*in+c])
								exact += p
								if !slices.Contains(keep.Channels, c) {
									size = max(size, math.Abs(float64(x[i*in+c])))
								}
							}
							largest := 0.0
							for c, value := range w[o*in:][:in] {
								if !slices.Contains(keep.Channels, c) {
									largest = max(largest, math.Abs(float64(value)))
								}
							}
							bound := 2*math.Sqrt(float64(in))*size*largest/254 + math.Abs(exact)*1e-6
							if d := math.Abs(float64(want[i*out+o]) - exact); d > bound {
								t.Fatalf("in %d out %d rows %d keep %v: y[%d,%d] = %g, want %g ± %g", in, out, rows, keep, i, o, want[i*out+o], exact, bound)
							}
						}
					}
				}
			}
		}
	}
	narrowed(t, func(t *testing.T, v Variant) {
		if v.Format == Int8 {
			test(t, v)
		}
	})
	t.Run("plain", func(t *testing.T) { test(t, Variant{Generic, Int8}) })
}

func TestKeepIsChecked(t *testing.T) {
	v := Variant{Best(), Int8}
	if v.Check() != nil {
		v.ISA = Generic
	}
	var x Input
	x.Set(v, make([]float32, 32), 1, 32, 32, Keep{Channels: []int{1, 2}})
	defer func() {
		if recover() == nil {
			t.Error("a matrix that keeps no channels took an input that does")
		}
	}()
	Pack(make([]float32, 32), make([]float32, 1), 1, 32, v, nil).Linear(make([]float32, 1), &x, 1)
}

func TestOutliers(t *testing.T) {
	n := &Norm{Gain: make([]float32, 40), Bias: make([]float32, 40)}
	for c := range n.Gain {
		n.Gain[c] = 1
	}
	n.Gain[7], n.Bias[30], n.Gain[11], n.Bias[2] = -9, 5, 3, -4
	if got, want := Outliers(n), []int{7, 11, 30, 2}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := Outliers(&Norm{Gain: make([]float32, 15), Bias: make([]float32, 15)}); got != nil {
		t.Errorf("%v of 15 channels", got)
	}
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

// NaN and infinities reach the queries that they reach in float32; denormals do no
// harm.
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
