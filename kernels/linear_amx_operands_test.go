//go:build linux && amd64 && !noasm

package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"syscall"
	"unsafe"
)

// The largest product of the tests, whose operands serve the smaller ones: what lies
// beyond them must not be read as theirs.
const rowsAMX, outAMX = 65, 97

// operandsAMX is a product's operands as the tiles want them, and its results before
// GELU, rowsAMX×outAMX, as a plain loop has them.
type operandsAMX struct {
	x, w          []byte
	xStride       int
	steps         int
	columns       []float32
	perRow        []float32
	terms         int
	rests         []int
	rest, results []float32
}

// beforeEnd returns n values that end where memory cannot be read.
func beforeEnd[T any](n int) []T {
	var zero T
	page := syscall.Getpagesize()
	bytes := n * int(unsafe.Sizeof(zero))
	whole := (bytes + page - 1) / page * page
	memory, err := syscall.Mmap(-1, 0, whole+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err == nil {
		err = syscall.Mprotect(memory[whole:], syscall.PROT_NONE)
	}
	if err != nil {
		panic(err)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&memory[whole-bytes])), n) // never given back: the tests are few
}

// newOperandsAMX makes room for rows and panels of so many steps, each parts times 64
// bytes of a row. Rows that no test has are of bytes that are NaN in bfloat16.
func newOperandsAMX(steps, parts int) *operandsAMX {
	const readable, padding = (rowsAMX + 15) / 16 * 16, 64
	o := &operandsAMX{steps: steps, xStride: steps*parts*64 + padding}
	o.x = beforeEnd[byte](readable*o.xStride - padding)
	o.w = beforeEnd[byte]((outAMX + 31) / 32 * steps * parts * 2048)
	for i := range o.x {
		o.x[i] = 0xff
	}
	for r := range rowsAMX {
		clear(o.x[r*o.xStride:][:o.xStride-padding])
	}
	return o
}

// tileAt is where in w the group of 4 bytes lies that meets the i-th of column c.
func (o *operandsAMX) tileAt(parts, part, c, step, group int) int {
	tile := (c/32*o.steps+step)*parts*2 + part*2 + c%32/16
	return tile*1024 + group*64 + c%16*4
}

// oddValues puts what is not a usual number into some of the rowsAMX rows of n values.
func oddValues(x []float32, n int) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for r, odd := range map[int][]float32{3: {nan}, 5: {inf}, 6: {-inf}, 8: {inf, -inf}, 11: {3e38, 3e38}, 20: {nan, inf}, 64: {-inf}} {
		copy(x[r*n:][:n], odd)
	}
	// Operands that are denormal, and some whose products are.
	for i := range n {
		x[7*n+i], x[33*n+i] = 1e-39*float32(i-3), 1e-37*float32(i-3)
	}
}

func operandsBF16AMX(r *rand.Rand, in int) *operandsAMX {
	x, w, bias := valuesAMX(r, in)
	for _, values := range [][]float32{x, w} {
		for i, v := range values {
			values[i] = truncated(v)
		}
	}
	o := newOperandsAMX((in+31)/32, 1)
	o.columns = bias
	o.putBF16(x, w, in, 1, 0)
	o.results = make([]float32, rowsAMX*outAMX)
	for i := range o.results {
		var sum float32
		for step := range o.steps {
			sum = stepTile(sum, x[i/outAMX*in:][:in], w[i%outAMX*in:][:in], step)
		}
		o.results[i] = sum + bias[i%outAMX]
	}
	return o
}

// operandsSplitAMX splits what is multiplied into two bfloat16.
func operandsSplitAMX(r *rand.Rand, in int) *operandsAMX {
	x, w, bias := valuesAMX(r, in)
	parts := func(values []float32) (high, low []float32) {
		high, low = slices.Clone(values), slices.Clone(values)
		for i, v := range values {
			high[i] = truncated(v)
			low[i] = truncated(v - high[i])
		}
		return high, low
	}
	xHigh, xLow := parts(x)
	wHigh, wLow := parts(w)
	o := newOperandsAMX((in+31)/32, 2)
	o.columns = bias
	o.putBF16(xHigh, wHigh, in, 2, 0)
	o.putBF16(xLow, wLow, in, 2, 1)
	o.results = make([]float32, rowsAMX*outAMX)
	for i := range o.results {
		row, column := i/outAMX*in, i%outAMX*in
		var sum float32
		for step := range o.steps {
			sum = stepTile(sum, xHigh[row:][:in], wLow[column:][:in], step)
			sum = stepTile(sum, xHigh[row:][:in], wHigh[column:][:in], step)
			sum = stepTile(sum, xLow[row:][:in], wHigh[column:][:in], step)
		}
		o.results[i] = sum + bias[i%outAMX]
	}
	return o
}

// valuesAMX returns rows of x, weights and biases of whole panels.
func valuesAMX(r *rand.Rand, in int) (x, w, bias []float32) {
	x, w, bias = random(r, rowsAMX*in), random(r, outAMX*in), beforeEnd[float32]((outAMX+31)/32*32)
	oddValues(x, in)
	for i := range in { // with these the small rows' products are denormal
		w[2*in+i], w[40*in+i] = 1e-3*float32(i+1), -1e-38
	}
	copy(bias, random(r, len(bias)))
	bias[2], bias[40] = 0, 1e-40
	return x, w, bias
}

// putBF16 writes x and w, which are bfloat16 already, as a part of each step.
func (o *operandsAMX) putBF16(x, w []float32, in, parts, part int) {
	put := func(dst []byte, v float32) {
		bits := math.Float32bits(v) >> 16
		dst[0], dst[1] = byte(bits), byte(bits>>8)
	}
	for i := range in {
		step, group, odd := i/32, i%32/2, i%2
		for r := range rowsAMX {
			put(o.x[r*o.xStride+(step*parts+part)*64+i%32*2:], x[r*in+i])
		}
		for c := range outAMX {
			put(o.w[o.tileAt(parts, part, c, step, group)+2*odd:], w[c*in+i])
		}
	}
}

// truncated returns a bfloat16 near x. Unlike roundBF16's it may be denormal.
func truncated(x float32) float32 {
	return math.Float32frombits(math.Float32bits(x) &^ 0xffff)
}

// operandsInt8AMX takes integers, scales and results from Generic's Int8, with rows
// that have a second digit, and with channels that stay float32 where there are enough
// inputs.
func operandsInt8AMX(r *rand.Rand, in int) *operandsAMX {
	x, w, bias := random(r, rowsAMX*in), random(r, outAMX*in), random(r, outAMX)
	oddValues(x, in)
	keep := Keep{Rows: []int{1, 2, 16, 31, 32, 40}}
	if in%32 == 0 {
		keep.Channels = []int{0, 2, 5, 30}
	}
	m := Pack(w, bias, outAMX, in, Variant{Generic, Int8}, Inputs{Keep: keep.Channels})
	var input Input
	input.Set(m.variant, x, rowsAMX, in, in, keep)

	o := newOperandsAMX((in+63)/64, 1)
	o.results = make([]float32, rowsAMX*outAMX)
	m.Linear(o.results, &input, outAMX)
	for i := range in {
		for r := range rowsAMX {
			o.x[r*o.xStride+i] = input.narrow[r*input.stride+i]
		}
		for c := range outAMX {
			o.w[o.tileAt(1, 0, c, i/64, i%64/4)+i%4] = m.narrow[c*in+i]
		}
	}
	said := 1 + fewTerms + len(m.keep)
	o.terms = fewTerms + len(m.keep)
	o.columns = beforeEnd[float32]((outAMX + 31) / 32 * 32 * (1 + said))
	for i := range o.columns {
		o.columns[i] = poison // start, and what no column has
	}
	for c := range outAMX {
		for i := range said {
			o.columns[c/32*32*(1+said)+(1+i)*32+c%32] = m.columns[c*said+i]
		}
	}
	o.perRow = beforeEnd[float32](rowsAMX * rowTerms)
	copy(o.perRow, input.perRow)
	// First the negative zeros, then the rests, the last of which ends with its columns.
	o.rests = beforeEnd[int](rowsAMX)
	o.rest = beforeEnd[float32]((1 + len(keep.Rows)) * outAMX)
	for c := range outAMX {
		o.rest[c] = float32(math.Copysign(0, -1))
	}
	copy(o.rest[outAMX:], input.products)
	for i, row := range keep.Rows {
		o.rests[row] = 4 * (1 + i) * outAMX
	}
	return o
}
