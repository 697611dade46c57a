package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What numpy and scipy say: see testdata/rounds.py.
func TestRoundsAreScipys(t *testing.T) {
	var wanted struct {
		One []struct {
			X, Interval []float64
			Median      float64
			SignFlip    float64 `json:"sign_flip"`
		}
		Holm []struct{ P, Adjusted []float64 }
	}
	data, err := os.ReadFile(filepath.Join("testdata", "rounds.json"))
	if err == nil {
		err = json.Unmarshal(data, &wanted)
	}
	if err != nil || len(wanted.One) < 18 || len(wanted.Holm) < 5 {
		t.Fatalf("%d samples, %d lists of p: %v", len(wanted.One), len(wanted.Holm), err)
	}
	for _, c := range wanted.One {
		if got := Median(c.X); math.Abs(got-c.Median) > 1e-15 {
			t.Errorf("median of %v = %v, want %v", c.X, got, c.Median)
		}
		if p, exact := SignFlip(c.X); p != c.SignFlip || !exact {
			t.Errorf("sign-flip of %v: p %v, exact %v, want %v", c.X, p, exact, c.SignFlip)
		}
		// Of an odd number of values the ends are two of them, and known exactly. Of an even
		// one both sides have drawn: their ends are some of n(n+1)/2 middles, near each other.
		tolerance := 0.0
		if len(c.X)%2 == 0 {
			tolerance = 0.1 * (slices.Max(c.X) - slices.Min(c.X))
		}
		low, high := MedianInterval(c.X)
		if math.Abs(low-c.Interval[0]) > tolerance || math.Abs(high-c.Interval[1]) > tolerance {
			t.Errorf("interval of %v: [%v, %v], want %v", c.X, low, high, c.Interval)
		}
	}
	for _, c := range wanted.Holm {
		for i, got := range Holm(c.P) {
			if math.Abs(got-c.Adjusted[i]) > 1e-15 {
				t.Errorf("Holm of %v: %v, want %v", c.P, Holm(c.P), c.Adjusted)
				break
			}
		}
	}
}

// By hand: of n values of one sign only that sign and its opposite are as far out.
func TestSignFlipByHand(t *testing.T) {
	for n := 1; n <= MostExact; n++ {
		x := make([]float64, n)
		for i := range x {
			x[i] = 0.1 + 0.01*float64(i)
		}
		if p, exact := SignFlip(x); p != 2/math.Exp2(float64(n)) || !exact {
			t.Errorf("%d values of one sign: p %v, exact %v", n, p, exact)
		}
	}
	// 1+2-3 is 0, which every sum is at least as far from.
	for _, x := range [][]float64{nil, {0, 0, 0}, {1, 2, -3}, {0.1, 0.2, -0.3}} {
		if p, _ := SignFlip(x); p != 1 {
			t.Errorf("%v: p %v, want 1", x, p)
		}
	}
	// |±1±2±4| >= 5 for six of eight signs but those of 1+2... : 7, 5, and their opposites.
	if p, _ := SignFlip([]float64{-1, 2, 4}); p != 0.5 {
		t.Errorf("p %v, want 4 of 8", p)
	}
}

// Beyond that signs are drawn; p is close to what all of them would give, and never 0.
func TestSignFlipDrawn(t *testing.T) {
	half := make([]float64, MostExact)
	for i := range half {
		half[i] = float64(i%7) - 2.5
	}
	want, _ := SignFlip(half)
	got, exact := SignFlip(append(half, 0)) // a zero changes no sum, and makes one too many
	if exact || math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/flips) {
		t.Errorf("p %v, exact %v, want about %v", got, exact, want)
	}
	one := slices.Repeat([]float64{1}, 70)
	if p, _ := SignFlip(one); p != 1.0/(flips+1) {
		t.Errorf("p %v, want 1 of %d", p, flips+1)
	}
}

func TestIntervals(t *testing.T) {
	for _, x := range [][]float64{{2}, {2, 2, 2, 2}} {
		if low, high := MedianInterval(x); low != 2 || high != 2 {
			t.Errorf("of %v: [%v, %v]", x, low, high)
		}
	}
	if low, high := MedianInterval(nil); !math.IsNaN(low) || !math.IsNaN(high) || !math.IsNaN(Median(nil)) {
		t.Errorf("of nothing: [%v, %v]", low, high)
	}
	// Turned round, the interval is turned round; and of two samples as of their difference.
	x := []float64{0.4, -0.1, 0.2, 0.9, 0.3, 0.25, 0.1}
	negative := make([]float64, len(x))
	for i, v := range x {
		negative[i] = -v
	}
	low, high := MedianInterval(x)
	if l, h := MedianInterval(negative); math.Abs(l+high) > 1e-15 || math.Abs(h+low) > 1e-15 {
		t.Errorf("[%v, %v] and its opposite [%v, %v]", low, high, l, h)
	}
	if l, h := MedianDifferenceInterval([]float64{0, 0, 0}, x); l != low || h != high {
		t.Errorf("beside a constant: [%v, %v], want [%v, %v]", l, h, low, high)
	}
	if l, h := MedianDifferenceInterval(x, x); !(l < 0 && h > 0) {
		t.Errorf("of a sample and itself: [%v, %v]", l, h)
	}
	if again, _ := MedianInterval(x); again != low {
		t.Error("another interval at the second call")
	}
}

// A value and its opposite are as likely: of one value the median of one draw is as far away
// as that is; of two draws it may be halfway, at 0; and more draws come nearer.
func TestNullReach(t *testing.T) {
	if got := NullReach([]float64{-0.3}, 1); got != 0.3 {
		t.Errorf("%v, want 0.3", got)
	}
	if got := NullReach([]float64{0.1, 0.2}, 1); got != 0.2 {
		t.Errorf("%v, want 0.2", got)
	}
	if !math.IsNaN(NullReach(nil, 3)) || !math.IsNaN(NullReach([]float64{1}, 0)) || NullReach([]float64{0, 0}, 5) != 0 {
		t.Error("of nothing, or of zeros")
	}
	// A thousand values as a normal distribution spreads them. The median of n is within
	// 1.96 x 1.2533/sqrt(n) of 0 in 95 % of cases, for large n.
	var x []float64
	for i := range 1000 {
		x = append(x, math.Sqrt2*math.Erfinv((2*float64(i)+1)/1000-1))
	}
	for _, n := range []int{25, 101} {
		want := 1.96 * 1.2533 / math.Sqrt(float64(n))
		if got := NullReach(x, n); math.Abs(got-want) > 0.05*want {
			t.Errorf("n %d: %v, want about %v", n, got, want)
		}
	}
}

// Of many values the mean's interval is the normal distribution's.
func TestMeanInterval(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 0))
	x := make([]float64, 400)
	for i := range x {
		x[i] = random.ExpFloat64()
	}
	s := Summarize(x)
	low, high := MeanInterval(x)
	reach := 1.96 * *s.SD / math.Sqrt(400)
	if math.Abs(low-(s.Mean-reach)) > 0.1*reach || math.Abs(high-(s.Mean+reach)) > 0.1*reach {
		t.Errorf("[%v, %v], want about %v and %v less and more", low, high, s.Mean, reach)
	}
	if low, high := MeanInterval([]float64{2, 2, 2}); low != 2 || high != 2 {
		t.Errorf("of equal values [%v, %v]", low, high)
	}
	if low, high := MeanInterval(nil); !math.IsNaN(low) || !math.IsNaN(high) {
		t.Errorf("of nothing [%v, %v]", low, high)
	}
}
