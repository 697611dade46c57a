package asmgen

var peakParams = []string{"n int"}

const peakDoc = `runs PEAK steps of a product's sums, SUMS lanes each, n ≥ 1 times. No step
waits for another of the same round. Nothing is read or written.`

// peakSums is how many sums run side by side: more than any processor needs to hide a
// multiply-add's latency.
func peakSums(m Machine) int {
	if m.Arch() == "arm64" {
		return 24
	}
	return 12
}

// peak emits a loop of the instructions that a format's products consist of.
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

const readDoc = `reads blocks ≥ 1 blocks of READ values from x, times ≥ 1 times, and does
nothing with them. It is for measuring how fast memory delivers them.

	for range times {
		for i := range blocks * READ {
			_ = x[i]
		}
	}`

// readBlock is how many values an iteration of read's loop reads: enough to hide the loop's
// own instructions even if a register holds only 4 values (32 loads).
const readBlock = 128

// readVectors is how many registers are loaded in turn, so that no load waits for an
// earlier one to the same register.
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
