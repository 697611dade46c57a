package asmgen

var peakParams = []string{"n int"}

const peakDoc = `does n ≥ 1 times PEAK steps of a product's sums, SUMS lanes each, none
of which waits for another of the same round. Nothing is read or written.`

// peakSums is how many sums run side by side: more than any processor needs to
// hide the latency, on arm64 4 cycles of 4 multiply-adds.
func peakSums(m Machine) int {
	if m.Arch() == "arm64" {
		return 24
	}
	return 12
}

// peak does what a format's products are made of.
func peak(form Format) func(*Func) {
	return func(f *Func) {
		f.Say("SUMS", f.sumsIn(form))
		n := f.Arg("n")
		sums := f.Tile(peakSums(f.Machine), 1)
		x, y, product := f.Vec("x"), f.Vec("y"), f.Vec("product")
		f.Zero(x)
		f.Zero(y)
		f.Times(n, 1, func() {
			for _, s := range sums {
				f.accumulate(f, form, s[0], x, y, product)
			}
		})
		f.Return()
	}
}

var readParams = []string{"x *float32", "blocks int", "times int"}

const readDoc = `reads blocks ≥ 1 blocks of READ values from x, times ≥ 1 times over, and
does nothing with them: what is timed is how fast they come.

	for range times {
		for i := range blocks * READ {
			_ = x[i]
		}
	}`

// readBlock is how many values the loop of read takes at a time: as many as
// hide the counting even where a register holds 4, which is 32 loads.
const readBlock = 128

// readVectors is how many registers take turns: no load waits for the last one
// into its register.
const readVectors = 8

func read(f *Func) {
	x, blocks, times := f.Arg("x"), f.Arg("blocks"), f.Arg("times")
	at, n := f.Ptr("x"), f.Ptr("n")
	v := f.Vecs(readVectors, "v%d", 1)
	f.Times(times, 1, func() {
		f.Move(at, x)
		f.Move(n, blocks)
		f.Times(n, 1, func() {
			for i := range readBlock / f.Lanes() {
				f.Load(v[i%readVectors], at.At(4*f.Lanes()*i))
			}
			f.AddImm(at, 4*readBlock)
		})
	})
	f.Return()
}
