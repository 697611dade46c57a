package darwinkit

import (
	"encoding/binary"
	"math"
	"time"
)

// stampsBytes is the size of the two stamps of a dispatch.
const stampsBytes = 2 * 8

// tickLength returns the nanoseconds of a tick of the GPU's clock that showed two
// times, or 0 if it did not move. Apple silicon's ticks are nanoseconds, which
// two readings only find out roughly.
func tickLength(before, after uint64, passed time.Duration) float64 {
	if after <= before || passed <= 0 {
		return 0
	}
	rate := float64(passed) / float64(after-before)
	if math.Abs(rate-1) < 0.05 {
		return 1
	}
	return rate
}

// stages sets each to the time between the stamps of its begin and its end, and
// reports whether all can be: a stamp is zero if the GPU did not write it and all
// ones if it could not, and no stage takes longer than the whole.
func stages(each []time.Duration, stamps []byte, rate float64, whole time.Duration) bool {
	if len(stamps) != len(each)*stampsBytes || rate <= 0 {
		return false
	}
	for i := range each {
		begin := binary.LittleEndian.Uint64(stamps[i*stampsBytes:])
		end := binary.LittleEndian.Uint64(stamps[i*stampsBytes+8:])
		if begin == 0 || end < begin || end == math.MaxUint64 {
			return false
		}
		each[i] = time.Duration(float64(end-begin) * rate)
		if each[i] > whole+whole/10+100*time.Microsecond {
			return false
		}
	}
	return true
}
