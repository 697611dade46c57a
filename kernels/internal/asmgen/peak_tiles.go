package asmgen

const peakTilesDoc = `does n ≥ 1 times PRODUCTS products of tiles, SUMS each, none of which waits for
another of the same round. Nothing is read or written.`

// tileSums is how many sums run side by side: a product is begun every 16 cycles and
// takes 52, so that four would do.
const tileSums = 6

// tileFLOPs is what a product of two tiles does: 16×16 sums of 16 groups.
func tileFLOPs(form Format) int {
	group := 2
	if form == Int8 {
		group = 4
	}
	return 2 * tileRows * tileRows * 16 * group
}

// tileProducts is how many products of tiles a product in a format takes.
func tileProducts(form Format) int {
	if form == BF16x3 {
		return 3
	}
	return 1
}

// peakTiles does what products on tiles are made of.
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
