package conformance

import (
	"math"

	"github.com/minilm-metal/minilm-metal/model"
)

// Rounding says what a device rounds; the bounds of its errors are derived from it. In
// every format, sums, LayerNorm, softmax and the head are float32. The zero Rounding is
// float32 throughout.
type Rounding struct {
	// Operands is the unit roundoff of the operands of a layer's products: the largest
	// relative error of rounding to the nearest.
	Operands float64
	// Products is what is left out of each product, relative to the product.
	Products float64
	// Attention is the unit roundoff of Q, K, V and the weights of attention.
	Attention float64
	// Tables is the unit roundoff of the embeddings.
	Tables float64
	// Least is the smallest absolute error of such a value that is not exact: half the
	// distance between the smallest numbers.
	Least float64
	// GELU is the error of the device's GELU, in addition to 2.5 roundings of float32:
	// absolute for arguments up to 1, and relative to larger ones.
	GELU float64
	// Sums is the unit roundoff of the sums of up to 32 products from which a layer's sums
	// are added up.
	Sums float64
	// Int8 says that operands are integers: a weight up to 127, for the largest of its
	// output; an input from -127 for the smallest to 127 for the largest of its row.
	Int8 bool
	// Kept returns, for Int8, the channels that are not integers: in the inputs of each
	// layer's Q, K and V, of its up and of its down projection. nil means none.
	Kept func(w *model.Weights) (attention, up, down [][]int)
	// Spread returns a row multiplied by the orthogonal matrix by which Int8 multiplies
	// rows and weights of this width before rounding. nil means that they stay as they are.
	Spread func(x []float64) []float64
}

// The unit roundoffs of the formats: half a unit in the last place of 24, 11 and 8 bits.
const (
	unit32   = 1.0 / (1 << 24)
	unit16   = 1.0 / (1 << 11)
	unitBF16 = 1.0 / (1 << 8)
	least16  = 1.0 / (1 << 25) // half of half's smallest number
)

// shortGELU is the error that the kernels state for their GELU in formats with few bits.
const shortGELU = 3.2e-5

// The roundings of the devices' formats. Attention of Int8 and BF16 may be in bfloat16.
var (
	RoundsFloat32  = Rounding{}
	RoundsBFloat16 = Rounding{Operands: unitBF16, Attention: unitBF16, GELU: shortGELU}
	// Two parts of 8 bits hold a value with a relative error of 2^-16. The product of the
	// low parts, each at most 2^-8 of the whole, is left out.
	RoundsBFloat16x3 = Rounding{Operands: unitBF16 * unitBF16, Products: unitBF16 * unitBF16}
	RoundsFloat16    = Rounding{Operands: unit16, Least: least16, Sums: unit16, GELU: shortGELU}
	RoundsFloat16GPU = Rounding{Operands: unit16, Attention: unit16, Tables: unit16, Least: least16}
	RoundsInt8       = Rounding{Int8: true, Attention: unitBF16, GELU: shortGELU}
)

// deviations is how many standard errors (see uncertain) an error may have. The probability
// of more is at most 2·exp(-deviations²/2), which over ten billion values happens once in
// four thousand times.
const deviations = 8

// uncertain holds values, and how far off they may be.
//
// A rounding to the nearest has an error of at most h. As far as anyone can say beforehand,
// the error has no preferred sign and does not depend on the other roundings: this is the
// model of Higham and Mary 2019 ("A New Approach to Probabilistic Rounding Error Analysis",
// SIAM J. Sci. Comput. 41(5)). Then Hoeffding's inequality holds: for Σ c·e with |e| at
// most h,
//
//	P(|Σ c·e| > λ·s) <= 2·exp(-λ²/2),  s² = Σ c²·h²
//
// It also holds for errors e that are themselves such sums, with their s instead of h (they
// are sub-Gaussian), if they are independent. In a product they are: although the error of
// one input is in all of its outputs, the weights that it is multiplied by have random
// signs. Where errors may be correlated, as those of the keys of one sequence, their s are
// added up, which is valid in any case. Where the square of an error is not small, the
// error in it is replaced by λ·s, which it does not exceed. So s is derived: from unit
// roundoffs, from the number of products in a sum, and from the values themselves.
//
// Worst-case bounds, Σ |c|·h, would be √n times as large for n products, and would accept a
// product of some hundred terms that leaves out the last one.
type uncertain struct {
	v []float64 // in exact arithmetic
	s []float64 // the largest error, divided by deviations
}

func newUncertain(n int) uncertain { return uncertain{make([]float64, n), make([]float64, n)} }

// rows returns n rows of a width, beginning with row first.
func (u uncertain) rows(first, n, width int) uncertain {
	return uncertain{u.v[first*width:][:n*width], u.s[first*width:][:n*width]}
}

// exactly returns float32 values without an error.
func exactly(x []float32) uncertain {
	u := newUncertain(len(x))
	for i, v := range x {
		u.v[i] = float64(v)
	}
	return u
}

// off returns the largest error of rounding a value with that unit roundoff.
func (r *Rounding) off(unit, v float64) float64 {
	if unit == 0 {
		return 0
	}
	return max(unit*math.Abs(v), r.Least)
}

func square(x float64) float64 { return x * x }
