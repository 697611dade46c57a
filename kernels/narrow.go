package kernels

import (
	"cmp"
	"math"
	"slices"
)

// roundBF16 rounds to the nearest bfloat16, ties to even, denormals to 0.
func roundBF16(x float32) float32 {
	bits := math.Float32bits(x)
	switch {
	case x != x:
		return x
	case bits&0x7f800000 == 0:
		return math.Float32frombits(bits & 0x80000000)
	}
	bits += 0x7fff + bits>>16&1
	return math.Float32frombits(bits &^ 0xffff)
}

// quantizeWeights rounds an output's weights to integers from -127 to 127. It returns the
// value of one integer step and the sum of the integers.
//
// Two other ways were tried and were worse. Up to four weights that are more than twice the
// output's fifth largest were multiplied in float32, because they make the steps of the
// others coarse: on the built-in synthetic model, which has one in each thirteenth row, the
// scores' error after its mean fell from 0.103 of their deviation to 0.084, on trained-like
// weights from 0.040 to 0.035, but the forward pass took 7 % longer. Scales that clip large
// weights (least square error) reversed more orders, not fewer.
func quantizeWeights(dst []int8, w []float32) (scale float32, sum int32) {
	largest := float32(0)
	for _, v := range w {
		largest = max(largest, float32(math.Abs(float64(v))))
	}
	scale = max(largest/127, tiny)
	by := 1 / scale
	// Adding this to a number within ±2^22 leaves the number, rounded to an integer, in the
	// low bits.
	const magic = 3 << 22
	for i, v := range w {
		q := int32(math.Float32bits(float32(v*by)+magic)) - int32(math.Float32bits(magic))
		dst[i] = int8(q)
		sum += q
	}
	return scale, sum
}

// tiny is the smallest normal float32. No scale is smaller, so that its inverse is finite.
const tiny = 1.0 / (1 << 126)

// quantizeRow is quantize of package asm in plain Go, for whole rows of any length, with
// results in int8.
func quantizeRow(dst []byte, x []float32, scale *[2]float32) {
	low, high, odd := x[0], x[0], float32(0)
	for _, v := range x {
		low, high, odd = min(low, v), max(high, v), odd+v*0
	}
	high, low = float32(high*0.5), float32(low*0.5) // the conversion keeps this product from being fused with a later sum
	scale[0] = max(tiny, (high-low)/127)
	scale[1] = high + low + odd
	by := 1 / scale[0]
	for i, v := range x {
		dst[i] = byte(int8(math.RoundToEven(float64((v - scale[1]) * by))))
	}
	for i := len(x); i < len(dst); i++ {
		dst[i] = 0
	}
}

// Outliers returns the MostChannels channels with the largest sizes. It returns none if
// there are not many more channels than that.
func Outliers(sizes []float32) []int {
	if len(sizes) < 4*MostChannels {
		return nil
	}
	channels := make([]int, len(sizes))
	for c := range channels {
		channels[c] = c
	}
	slices.SortStableFunc(channels, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })
	return channels[:MostChannels:MostChannels]
}
