//go:build !noasm

package kernels

// read is isa's loop of loads, see readAVX512.
func read(isa ISA, x *float32, blocks, times int) {
	if isa == AVX512 {
		readAVX512(x, blocks, times)
	} else {
		readAVX2(x, blocks, times)
	}
}
