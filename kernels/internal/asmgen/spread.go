package asmgen

import "slices"

// These kernels spread the values of a row over its channels before they are rounded to
// integers; spread.go in package kernels says why. Values are combined only with values
// that are whole registers away. So there are only sums and differences, in the same order
// on every instruction set.

var spreadParams = []string{"dst *float32", "src *float32", "n int"}

const spread8Doc = `multiplies 8 values that lie 16 apart by Hadamard's matrix of order 8, whose
entries are 1 and -1; n is a multiple of 128.

	for b := 0; b < n; b += 128 {
		for i := range 16 {
			v := src[b+i : b+128 : 16]
			for _, s := range {1, 2, 4} {
				for j := range 8 with j&s == 0 {
					v[j], v[j+s] = v[j]+v[j+s], v[j]-v[j+s]
				}
			}
			dst[b+i : b+128 : 16] = v
		}
	}`

const spread4Doc = `multiplies 4 values that lie 128 apart by Hadamard's matrix of order 4; n is
a multiple of 512. It is as spread8, but that dst may be src.`

const spread3Doc = `reflects 3 values that lie 128 apart in the plane where their sum is 0; n is a
multiple of 384. dst may be src.

	for b := 0; b < n; b += 384 {
		for i := range 128 {
			v := src[b+i : b+384 : 128]
			m := (v[0] + v[1] + v[2]) * (2/3)
			for j := range 3 {
				dst[b+i+128*j] = v[j] - m
			}
		}
	}`

// spread returns a kernel that applies body to groups of values which are apart floats from
// each other. body returns the registers with the results.
func spread(values, apart int, body func(f *Func, v []V, rest, twoThirds V) []V) func(*Func) {
	return func(f *Func) {
		dst, src, n, left := f.Arg("dst"), f.Arg("src"), f.Arg("n"), f.Ptr("left")
		v, rest := f.Vecs(values, "v[%d]", 1), f.Vec("rest")
		var twoThirds V
		if values == 3 {
			twoThirds = f.InRegister(f.Const(2.0 / 3))
		}
		step := 4 * f.Lanes()
		f.Times(n, values*apart, func() {
			f.SetImm(left, apart)
			f.Times(left, 16, func() {
				for i := 0; i < 64; i += step {
					for j := range v {
						f.Load(v[j], src.At(4*apart*j+i))
					}
					for j, v := range body(f, slices.Clone(v), rest, twoThirds) {
						f.Store(dst.At(4*apart*j+i), v)
					}
				}
				f.AddImm(src, 64)
				f.AddImm(dst, 64)
			})
			f.AddImm(src, 4*apart*(values-1))
			f.AddImm(dst, 4*apart*(values-1))
		})
		f.Return()
	}
}

// hadamard emits the butterflies of all of v. A register that held a difference is free
// again afterwards.
func hadamard(f *Func, v []V, rest, _ V) []V {
	for s := 1; s < len(v); s *= 2 {
		for j := range v {
			if j&s == 0 {
				f.Do(Sub, rest, v[j], v[j+s])
				f.Do(Add, v[j], v[j], v[j+s])
				v[j+s], rest = named(rest, "%s", v[j+s].name), named(v[j+s], "rest")
			}
		}
	}
	return v
}

func reflect(f *Func, v []V, sum, twoThirds V) []V {
	f.Do(Add, sum, v[0], v[1])
	f.Do(Add, sum, sum, v[2])
	f.Do(Mul, sum, sum, twoThirds)
	for j := range v {
		f.Do(Sub, v[j], v[j], sum)
	}
	return v
}
