package conformance

import (
	"math"

	"github.com/minilm-metal/minilm-metal/model"
)

// Rounding says what a device rounds, which is what bounds on its errors are derived
// from. Whatever the format, sums, LayerNorm, softmax and the head are float32. The zero
// Rounding is float32 throughout.
type Rounding struct {
	// Operands is the unit roundoff of the operands of a layer's products: what they
	// are rounded to the nearest of is off by as much of itself at most.
	Operands float64
	// Products is what is left out of each product, as a share of it.
	Products float64
	// Attention is the unit roundoff of Q, K, V and the weights of attention.
	Attention float64
	// Tables is the unit roundoff of the embeddings.
	Tables float64
	// Least is what any of these values is off by at least, if it is off: half the
	// distance of the smallest numbers.
	Least float64
	// GELU is what it is off by, for arguments up to 1, and for others as a share of them,
	// beside 2.5 roundings of float32.
	GELU float64
	// Sums is the unit roundoff of the sums of up to 32 products that a layer's are added
	// up from.
	Sums float64
	// Int8 says that operands are integers: of a weight, up to 127 for the largest of its
	// output, of an input from -127 for the least to 127 for the most of its row.
	Int8 bool
	// Kept are the channels that are not integers in Int8, of what each layer's Q, K and V
	// multiply and of what its up and down projections do; nil: none.
	Kept func(w *model.Weights) (attention, up, down [][]int)
	// Spread returns a row times the orthogonal matrix that Int8 multiplies rows and weights
	// of this width by before it rounds them; nil: as they are.
	Spread func(x []float64) []float64
}

// The unit roundoffs of the formats: half a unit in the last place of 24, 11 and 8 bits.
const (
	unit32   = 1.0 / (1 << 24)
	unit16   = 1.0 / (1 << 11)
	unitBF16 = 1.0 / (1 << 8)
	least16  = 1.0 / (1 << 25) // half of half's smallest number
)

// shortGELU is what the kernels say of their GELU where operands have few bits.
const shortGELU = 3.2e-5

// The devices' formats. Attention of Int8 and BF16 may be in bfloat16.
var (
	RoundsFloat32  = Rounding{}
	RoundsBFloat16 = Rounding{Operands: unitBF16, Attention: unitBF16, GELU: shortGELU}
	// Two parts of 8 bits hold a value to 2^-16 of itself; the product of the low parts,
	// each at most 2^-8 of the whole, is left out.
	RoundsBFloat16x3 = Rounding{Operands: unitBF16 * unitBF16, Products: unitBF16 * unitBF16}
	RoundsFloat16    = Rounding{Operands: unit16, Least: least16, Sums: unit16, GELU: shortGELU}
	RoundsFloat16GPU = Rounding{Operands: unit16, Attention: unit16, Tables: unit16, Least: least16}
	RoundsInt8       = Rounding{Int8: true, Attention: unitBF16, GELU: shortGELU}
)

// deviations is how many of its deviations an error may be, see uncertain: with
// probability 2·exp(-deviations²/2) or less it is more, which in ten billion values
// happens once in four thousand times.
const deviations = 8

// uncertain are values, and how far they may be off.
//
// A rounding to the nearest is off by h at most. What it is off by has, as far as anyone
// can say beforehand, no preferred sign and nothing to do with the other roundings:
// this is the model of Higham and Mary 2019 ("A New Approach to Probabilistic
// Rounding Error Analysis", SIAM J. Sci. Comput. 41(5)). Then Hoeffding's inequality
// holds: for Σ c·e with |e| at most h,
//
//	P(|Σ c·e| > λ·s) <= 2·exp(-λ²/2),  s² = Σ c²·h²
//
// and so does it for errors e that are themselves such sums, with their s for h (they
// are sub-Gaussian), where they are independent. They are in a product, although one
// input's error is in all of its outputs: the weights that it meets have random signs of
// their own. Where errors may go together, as those of the keys of one sequence do, their s
// are added up, which holds for all. In place of squares that are not small, what is
// squared stands with λ·s, which it does not pass. So s is derived: from unit
// roundoffs, from how many products a sum has, and from the values themselves.
//
// The bounds of the worst case, Σ |c|·h, are √n as large for n products, and would let
// pass that a product of some hundred leaves the last of them out.
type uncertain struct {
	v []float64 // in exact arithmetic
	s []float64 // deviations times that is the most that they are off by
}

func newUncertain(n int) uncertain { return uncertain{make([]float64, n), make([]float64, n)} }

// rows returns n rows of a width from one on.
func (u uncertain) rows(first, n, width int) uncertain {
	return uncertain{u.v[first*width:][:n*width], u.s[first*width:][:n*width]}
}

// exactly are float32 values as the device has them.
func exactly(x []float32) uncertain {
	u := newUncertain(len(x))
	for i, v := range x {
		u.v[i] = float64(v)
	}
	return u
}

// off returns what a value is off by if it is rounded to a unit roundoff.
func (r *Rounding) off(unit, v float64) float64 {
	if unit == 0 {
		return 0
	}
	return max(unit*math.Abs(v), r.Least)
}

func square(x float64) float64 { return x * x }
