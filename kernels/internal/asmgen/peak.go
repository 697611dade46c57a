package asmgen

var peakParams = []string{"n int"}

const peakDoc = `does n ≥ 1 times PEAK fused multiply-adds of LANES lanes, none of
which waits for another of the same round. Nothing is read or written.`

// peakSums is how many sums run side by side: more than any processor needs to
// hide the latency.
const peakSums = 12

func peak(f *Func) {
	n := f.Arg("n")
	sums := f.Tile(peakSums, 1)
	x, y := f.Vec("x"), f.Vec("y")
	f.Zero(x)
	f.Zero(y)
	f.Times(n, 1, func() {
		for _, s := range sums {
			f.MulAdd(s[0], x, y)
		}
	})
	f.Return()
}
