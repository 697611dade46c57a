package asmgen

const peakTilesDoc = `runs PRODUCTS products of tiles, SUMS each, n ≥ 1 times. No product waits for
another of the same round. Nothing is read or written.`

// tileSums is how many sums run side by side. Intel gives a latency of 52 cycles for a
// product of tiles, one of which can begin every 16 cycles, so four would be enough.
const tileSums = 6

// tileFLOPs is the number of operations of a product of two tiles: 16×16 sums of 16 groups.
func tileFLOPs(form Format) int {
	group := 2
	if form == Int8 {
		group = 4
	}
	return 2 * tileRows * tileRows * 16 * group
}

// tileProducts is how many products of tiles one product in a format needs.
func tileProducts(form Format) int {
	if form == BF16x3 {
		return 3
	}
	return 1
}

// peakTiles emits a loop of the instructions that products on tiles consist of.
func peakTiles(form Format) func(*Func) {
	return func(f *Func) {
		f.Say("PRODUCTS", tileSums)
		f.Say("SUMS", tileRows*tileRows)
		n, t := f.Arg("n"), f.Tiles()
		t.ConfigureAll(f.Ptr("shapes"))
		var sums []T
		for range tileSums {
			sums = append(sums, t.Reg("sum%d", len(sums)))
		}
		x, w := t.Reg("x"), t.Reg("w")
		for _, r := range append(sums, x, w) {
			t.Zero(r)
		}
		f.Times(n, 1, func() {
			for _, s := range sums {
				t.Dot(form, s, x, w)
			}
		})
		t.Release()
		f.Return()
	}
}
