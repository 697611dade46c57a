package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

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
						m := Pack(w, bias, out, in, v, Inputs{Keep: keep.Channels})
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
	Pack(make([]float32, 32), make([]float32, 1), 1, 32, v, Inputs{}).Linear(make([]float32, 1), &x, 1)
}

func TestOutliers(t *testing.T) {
	sizes := make([]float32, 40)
	for c := range sizes {
		sizes[c] = 3
	}
	sizes[7], sizes[30], sizes[11], sizes[2] = 27, 8, 9, 7
	if got, want := Outliers(sizes), []int{7, 11, 30, 2}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := Outliers(make([]float32, 15)); got != nil {
		t.Errorf("%v of 15 channels", got)
	}
}
