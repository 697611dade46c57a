package agreement

import (
	"cmp"
	"math"
)

// Orders counts twos of items by how two rankings x and y order them.
type Orders struct {
	All      int
	InX, InY int // ordered by x, and by y, which means not tied
	Same     int // ordered in the same way
	Swapped  int // ordered by both, in opposite ways
}

// Count counts all twos of items. x and y are as long as each other.
func Count(x, y []float64) (o Orders) {
	for i := range x {
		for j := range i {
			a, b := cmp.Compare(x[i], x[j]), cmp.Compare(y[i], y[j])
			o.All++
			o.InX += a * a
			o.InY += b * b
			switch a * b {
			case 1:
				o.Same++
			case -1:
				o.Swapped++
			}
		}
	}
	return o
}

// Tau is Kendall's tau-b (Kendall 1945, "The treatment of ties in ranking problems"): the
// twos of items in the same order minus those in opposite order, divided by the geometric
// mean of the twos that x orders and the twos that y orders. It is 1 for equal rankings.
// By convention it is 1 if neither orders anything and 0 if only one does. (gonum's
// stat.Kendall is tau-a, which is below 1 for equal rankings with ties.)
func (o Orders) Tau() float64 {
	if o.InX == 0 && o.InY == 0 {
		return 1
	}
	if o.InX == 0 || o.InY == 0 {
		return 0
	}
	return float64(o.Same-o.Swapped) / math.Sqrt(float64(o.InX)*float64(o.InY))
}

// SwappedShare is the share of all twos of items whose order is swapped; nil if there are
// none. Without ties it is (1-tau)/2.
func (o Orders) SwappedShare() *float64 {
	if o.All == 0 {
		return nil
	}
	return new(float64(o.Swapped) / float64(o.All))
}
