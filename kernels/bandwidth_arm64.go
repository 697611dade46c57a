//go:build !noasm

package kernels

// read is isa's loop of loads, see readNEON.
func read(isa ISA, x *float32, blocks, times int) {
	readNEON(x, blocks, times)
}
