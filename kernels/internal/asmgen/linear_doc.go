package asmgen

var linearParams = []string{
	"rows int", "out int", "dst unsafe.Pointer", "dstStride int", "x unsafe.Pointer", "xStride int",
	"w unsafe.Pointer", "steps int", "columns *float32", "scratch *float32",
	"perRow *float32", "terms int", "rests *int", "rest *float32",
}

const linearBF16Doc = `multiplies rows of x by a whole matrix, both in bfloat16, and adds
a bias.

	for r := range rows {
		for c := range out {
			var sum float32
			for s := range steps {
				var even, odd float32
				for i := range 16 {
					even = fma(x[r*xStride][32*s+2*i], w[c/32][s][c%32/16][i][c%16][0], even)
					odd = fma(x[r*xStride][32*s+2*i+1], w[c/32][s][c%32/16][i][c%16][1], odd)
				}
				sum += even + odd
			}
			dst[r*dstStride][c] = sum + columns[c]
		}
	}

Denormals count as 0 in the sum, whether they are operands or come out on the way.

rows, out and steps are at least 1. Strides are in bytes. The memory of x must be readable
up to a multiple of 16 rows; what the extra rows hold does not matter. columns must be
filled up to a multiple of 32 columns, dst need not be. scratch is 4 KB, best at a
multiple of 64. perRow, terms, rests and rest are not read.

COUNTS`

const linearNarrowDoc = `is linearBF16 with dst in bfloat16, rounded to the nearest, ties to
even. Denormals become 0, NaN stays NaN.

COUNTS`

const linearGELUDoc = `is linearBF16, then geluShort: dst = GELU(sum + columns[c]).

COUNTS`

const linearGELUNarrowDoc = `is linearBF16, then geluShort, with dst in bfloat16, rounded to
the nearest, ties to even. Denormals become 0, NaN stays NaN.

COUNTS`

const linearInt8Doc = `multiplies rows of x by a whole matrix, both in signed int8, which
stand for numbers as in gemmInt8, and adds the product of the row's rounding errors (its
rest), where the caller has computed that.

	for r := range rows {
		for c := range out {
			var sum int32
			for s := range steps {
				for i := range 16 {
					for j := range 4 {
						sum += x[r*xStride+64*s+4*i+j] * w[c/32][s][c%32/16][i][c%16][j]
					}
				}
			}
			y := perRow[r][1] * term[0][c]
			for j := 1; j < terms; j++ {
				y = fma(perRow[r][1+j], term[j][c], y)
			}
			y = fma(sum*perRow[r][0], columnScale[c], y)
			dst[r*dstStride][c] = y + rest[rests[r]][c]
		}
	}

For each panel of 32 columns, columns has 32 values that are not read, 32 of columnScale,
and 32 of each term. There are 2 or 6 terms. perRow has 8 values for each row, as in
gemmInt8. rests has, for each row, where its rest's products begin in rest, in bytes; for
a row without them that is a row of negative zeros, which change nothing. rows, out,
steps, the strides, x and scratch are as in linearBF16.

Sums of integers are exact in any order.

COUNTS`

const linearInt8NarrowDoc = `is linearInt8 with dst in bfloat16, rounded to the nearest, ties
to even. Denormals become 0, NaN stays NaN.

COUNTS`

const linearInt8GELUDoc = `is linearInt8, then geluShort.

COUNTS`

const linearSplitDoc = `multiplies rows of x by a whole matrix, and adds a bias. A number is
the sum of two in bfloat16, high and low. The product of the low parts, at most 2⁻¹⁶ of
the whole, is left out.

	for r := range rows {
		for c := range out {
			var sum float32
			for s := range steps {
				sum += dot(x[r*xStride][s].high, w[c/32][s].low[c%32/16])
				sum += dot(x[r*xStride][s].high, w[c/32][s].high[c%32/16])
				sum += dot(x[r*xStride][s].low, w[c/32][s].high[c%32/16])
			}
			dst[r*dstStride][c] = sum + columns[c]
		}
	}

dot is even + odd of linearBF16's step. A step of x is 32 high parts, then their low
ones; one of w is two tiles of high parts, then two of low ones. All else is as in linearBF16.

COUNTS`

const linearSplitGELUDoc = `is linearBF16x3, then gelu: dst = GELU(sum + columns[c]).

COUNTS`

// linears are the files of products on tiles.
var linears = []family{
	{"linear_bf16", []kernel{
		{"linear", BF16, linearParams, linearBF16Doc, linear(linearKind{form: BF16})},
		{"linearNarrow", BF16, linearParams, linearNarrowDoc, linear(linearKind{form: BF16, narrow: true})},
		{"linearGELU", BF16, linearParams, linearGELUDoc, linear(linearKind{form: BF16, act: phiShort})},
		{"linearGELUNarrow", BF16, linearParams, linearGELUNarrowDoc, linear(linearKind{form: BF16, act: phiShort, narrow: true})},
	}},
	{"linear_int8", []kernel{
		{"linear", Int8, linearParams, linearInt8Doc, linear(linearKind{form: Int8})},
		{"linearNarrow", Int8, linearParams, linearInt8NarrowDoc, linear(linearKind{form: Int8, narrow: true})},
		{"linearGELU", Int8, linearParams, linearInt8GELUDoc, linear(linearKind{form: Int8, act: phiShort})},
	}},
	{"linear_bf16x3", []kernel{
		{"linear", BF16x3, linearParams, linearSplitDoc, linear(linearKind{form: BF16x3})},
		{"linearGELU", BF16x3, linearParams, linearSplitGELUDoc, linear(linearKind{form: BF16x3, act: phiF32})},
	}},
}
