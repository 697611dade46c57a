package asmgen

var normParams = []string{"x *float32", "r *float32", "gain *float32", "bias *float32", "width int", "rows int", "eps float32", "count float32"}

const normDoc = `replaces rows ≥ 1 rows of x by LayerNorm(x + r). Width is a
multiple of 16 and count is width.

	for each row {
		var sum, squares [16]float32
		for c := range width {
			x[c] += r[c]
			sum[c%16] += x[c]
		}
		mean := total(sum) / count
		for c := range width {
			d := x[c] - mean
			squares[c%16] = fma(d, d, squares[c%16])
		}
		scale := 1 / sqrt(total(squares)/count+eps)
		for c := range width {
			x[c] = fma((x[c]-mean)*scale, gain[c], bias[c])
		}
	}

total adds lane i+8 to lane i, then i+4, i+2 and i+1. Because there are two
passes, and each sum has only width/16 values, this is as exact as it needs to be without
the generic kernel's float64.`

// norm reads a row three times; the row stays in the L1 cache.
func norm(f *Func) {
	x, r := f.Arg("x"), f.Arg("r")
	rows, n := f.Arg("rows"), f.Ptr("n")
	at, gain, bias := f.Ptr("x"), f.Ptr("gain"), f.Ptr("bias")
	parts := 16 / f.Lanes()
	sum := f.Vecs(parts, "sum[%d]", f.Lanes())
	squares := f.Vecs(parts, "squares[%d]", f.Lanes())
	v, d := f.Vecs(parts, "x[%d]", f.Lanes()), f.Vecs(parts, "d[%d]", f.Lanes())
	g := f.Vecs(parts, "gain[%d]", f.Lanes())
	count, eps, one := f.Vec("count"), f.Vec("eps"), f.InRegister(f.Const(1))
	f.SplatArg(count)
	f.SplatArg(eps)
	step := 4 * f.Lanes()
	width := P{name: "width", reg: n.reg}

	// pass emits a loop that runs body for each 16 values of the row.
	pass := func(note string, body func(i int), pointers ...P) {
		f.Note("%s", note)
		f.LoadArg(width)
		f.Times(n, 16, func() {
			for i := range parts {
				body(i)
			}
			for _, p := range pointers {
				f.AddImm(p, 64)
			}
		})
	}
	row := f.Label("row")
	f.Place(row)
	for i := range parts {
		f.Zero(sum[i])
		f.Zero(squares[i])
	}
	f.Move(at, x)
	pass("x += r", func(i int) {
		f.Load(v[i], at.At(step*i))
		f.Load(d[i], r.At(step*i))
		f.Do(Add, v[i], v[i], d[i])
		f.Store(at.At(step*i), v[i])
		f.Do(Add, sum[i], sum[i], v[i])
	}, at, r)
	f.Total(sum, v)
	mean := sum[0]
	f.Do(Div, mean, mean, count)
	mean.name = "mean"

	f.Move(at, x)
	pass("the squares' sum", func(i int) {
		f.Load(d[i], at.At(step*i))
		f.Do(Sub, d[i], d[i], mean)
		f.MulAdd(squares[i], d[i], d[i])
	}, at)
	f.Total(squares, v)
	scale := squares[0]
	f.Do(Div, scale, scale, count)
	f.Do(Add, scale, scale, eps)
	f.Sqrt(scale, scale)
	scale.name = "scale"
	f.Do(Div, scale, one, scale)

	f.LoadArg(gain)
	f.LoadArg(bias)
	pass("normalize", func(i int) {
		f.Load(d[i], x.At(step*i))
		f.Do(Sub, d[i], d[i], mean)
		f.Do(Mul, d[i], d[i], scale)
		f.Load(g[i], gain.At(step*i))
		f.Load(v[i], bias.At(step*i))
		f.MulAdd(v[i], d[i], g[i])
		f.Store(x.At(step*i), v[i])
	}, x, gain, bias)
	f.AddImm(rows, -1)
	f.JumpAtLeast(rows, 1, row)
	f.Return()
}

var addParams = []string{"dst *float32", "a *float32", "b *float32", "n int"}

const addDoc = `computes dst = a + b; n is a multiple of 16.

	for i := range n {
		dst[i] = a[i] + b[i]
	}`

func add(f *Func) {
	dst, a, b, n := f.Arg("dst"), f.Arg("a"), f.Arg("b"), f.Arg("n")
	parts, step := 16/f.Lanes(), 4*f.Lanes()
	v, w := f.Vecs(parts, "a%d", 1), f.Vecs(parts, "b%d", 1)
	f.Times(n, 16, func() {
		for i := range parts {
			f.Load(v[i], a.At(step*i))
			f.Load(w[i], b.At(step*i))
			f.Do(Add, v[i], v[i], w[i])
			f.Store(dst.At(step*i), v[i])
		}
		for _, p := range []P{dst, a, b} {
			f.AddImm(p, 64)
		}
	})
	f.Return()
}
