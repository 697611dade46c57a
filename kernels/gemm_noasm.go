//go:build noasm || !amd64

package kernels

// available returns no instruction set: there is no assembly here.
func available() []ISA { return nil }

func tileOf(isa ISA) tileSize {
	if isa != Generic {
		panic("kernels: " + isa.String() + " is not in this build")
	}
	return tileSize{}
}

func gemm(isa ISA, rows int, dst *float32, dstStride int, x *float32, xStride int, w, bias *float32, k int, next *float32) {
	tileOf(isa)
}

func geluTile(isa ISA, x *float32, stride, rows int) { tileOf(isa) }

func norm(isa ISA, x, r, gain, bias *float32, width, rows int, eps float32) { tileOf(isa) }

func add(isa ISA, dst, a, b *float32, n int) { tileOf(isa) }
