package kernels

import (
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// readRound is about how many values are read between two looks at the clock: what an L1
// cache delivers in a fraction of a millisecond.
const readRound = 8 << 20

// ReadBandwidth measures how many bytes a second one core reads from x into isa's
// registers, doing nothing else. It reads x from front to back again and again, so that x
// comes from the nearest memory that can hold all of it, and returns the best of the rounds
// that fit into about the time budget. The length of x is a multiple of 128. A kernel needs
// at least the time that its bytes, divided by this rate, take.
func (i ISA) ReadBandwidth(x []float32, budget time.Duration) float64 {
	if len(x) == 0 || len(x)%asm.ReadBlock != 0 {
		panic(fmt.Sprintf("kernels: %d values to read, want a multiple of %d", len(x), asm.ReadBlock))
	}
	times := max(1, readRound/len(x))
	work, best := 4*float64(len(x))*float64(times), 0.0
	i.read(x, 1) // the first time, x may come from slower memory
	for end := time.Now().Add(budget); ; {
		start := time.Now()
		i.read(x, times)
		now := time.Now()
		if seconds := now.Sub(start).Seconds(); seconds > 0 {
			best = max(best, work/seconds)
		}
		if now.After(end) && best > 0 {
			return best
		}
	}
}

// read reads x so many times. The result has no meaning; it keeps the compiler from
// removing the loop.
func (i ISA) read(x []float32, times int) (sum float32) {
	if i != Generic {
		asm.Read(asm.ISA(i), &x[0], len(x)/asm.ReadBlock, times)
		return 0
	}
	for range times {
		sum += readGeneric(x)
	}
	return sum
}

// readGeneric reads one value at a time, as the generic kernels do. It adds the values into
// eight sums that do not wait for each other, which is the cheapest way to keep the
// compiler from removing the reads.
func readGeneric(x []float32) float32 {
	var a, b, c, d, e, f, g, h float32
	for i := 0; i+8 <= len(x); i += 8 {
		y := x[i : i+8 : i+8]
		a += y[0]
		b += y[1]
		c += y[2]
		d += y[3]
		e += y[4]
		f += y[5]
		g += y[6]
		h += y[7]
	}
	return a + b + c + d + e + f + g + h
}
