package asmgen

var transposeParams = []string{"dst *float32", "dstStride int", "src *float32", "srcStride int", "cols int"}

const transposeDoc = `writes BLOCK rows of src as columns; strides are in bytes and
cols is a multiple of BLOCK.

	for r := range BLOCK {
		for c := range cols {
			dst[c*dstStride+r] = src[r*srcStride+c]
		}
	}`

// transposeBlock is the side of the square that is transposed in registers.
func transposeBlock(m Machine) int {
	if m.Arch() == "amd64" {
		return 8
	}
	return 4
}

func transpose(f *Func) {
	dst, dstStride := f.Arg("dst"), f.Arg("dstStride")
	src, srcStride, cols := f.Arg("src"), f.Arg("srcStride"), f.Arg("cols")
	block := transposeBlock(f.Machine)
	rows := f.Rows(src, srcStride, block)
	f.Times(cols, block, func() {
		f.transposeBlock(f, rows, dst, dstStride)
		f.Advance(rows, 4*block)
	})
	f.Return()
}
