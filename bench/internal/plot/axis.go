package plot

import (
	"math"
	"strconv"
	"strings"

	"github.com/aclements/go-moremath/scale"
)

// Axis maps values to the side of a panel, and knows what to write beside it.
type Axis struct {
	Label string
	scale interface{ Map(float64) float64 }
	ticks func(most int) []Tick
}

// Tick is a value with its text.
type Tick struct {
	At   float64
	Text string
}

// stride puts ticks at 1, 2 or 5 times a power of ten, whichever power and step of the
// three a level names.
type stride struct{ lo, hi float64 }

func (s stride) step(level int) float64 {
	power := math.Floor(float64(level) / 3)
	return []float64{1, 2, 5}[level-3*int(power)] * math.Pow(10, power)
}

// between is the first and the last multiple of the step; a little slack, for what rounding
// does to the ends.
func (s stride) between(step float64) (first, last float64) {
	slack := float64(1e-9 * (s.hi - s.lo))
	return math.Ceil((s.lo - slack) / step), math.Floor((s.hi + slack) / step)
}

func (s stride) CountTicks(level int) int {
	first, last := s.between(s.step(level))
	if n := last - first + 1; n < 1e6 {
		return int(n)
	}
	return 1e6
}

func (s stride) TicksAtLevel(level int) any {
	step := s.step(level)
	first, last := s.between(step)
	var ticks []float64
	for i := first; i <= last; i++ {
		ticks = append(ticks, float64(i*step)+0) // not -0
	}
	return ticks
}

// evenly are ticks that are as far apart as one another.
func evenly(lo, hi float64, most int) []Tick {
	if !finite(lo, hi) || !(hi > lo) {
		return nil
	}
	s := stride{lo, hi}
	options := scale.TickOptions{Max: max(2, most)}
	level, ok := options.FindLevel(s, 3*int(math.Floor(math.Log10(hi-lo))))
	if !ok {
		return nil
	}
	var ticks []Tick
	for _, v := range s.TicksAtLevel(level).([]float64) {
		ticks = append(ticks, Tick{v, Short(v)})
	}
	return ticks
}

// finite says whether an axis between two values is one: a report that somebody wrote by hand
// may have any numbers.
func finite(lo, hi float64) bool { return !math.IsNaN(hi-lo) && !math.IsInf(hi-lo, 0) }

// Short is a number as it stands beside an axis.
func Short(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1e9:
		return strconv.FormatFloat(v/1e9, 'g', 6, 64) + "G"
	case a >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 6, 64) + "M"
	case a >= 1e4:
		return strconv.FormatFloat(v/1e3, 'g', 6, 64) + "k"
	case a >= 1e-3 || a == 0:
		return strings.TrimSuffix(strconv.FormatFloat(v, 'g', 6, 64), ".0")
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// Linear is an axis from lo to hi, and a little beyond both but never beyond 0.
func Linear(label string, lo, hi float64) Axis {
	if !(hi > lo) {
		span := max(math.Abs(lo)*0.1, 1e-6)
		lo, hi = lo-span, hi+span
	}
	pad := float64(0.04 * (hi - lo))
	padded := func(v, pad float64) float64 {
		if v == 0 || v > 0 != (v+pad > 0) {
			return 0
		}
		return v + pad
	}
	lo, hi = padded(lo, -pad), padded(hi, pad)
	return Axis{label, scale.Linear{Min: lo, Max: hi}, func(most int) []Tick { return evenly(lo, hi, most) }}
}

// Exact is an axis from lo to hi and no further.
func Exact(label string, lo, hi float64) Axis {
	if !(hi > lo) {
		hi = lo + 1
	}
	return Axis{label, scale.Linear{Min: lo, Max: hi}, func(most int) []Tick { return evenly(lo, hi, most) }}
}

// Log is a logarithmic axis from lo to hi, both above 0, and a little beyond.
func Log(label string, lo, hi float64) Axis {
	if !(lo > 1e-100 && hi < 1e100) { // no time, nor rate: a report that somebody wrote by hand
		return Linear(label, 0, hi)
	}
	pad := max(math.Pow(hi/lo, 0.04), 1.03)
	lo, hi = lo/pad, hi*pad
	s, err := scale.NewLog(lo, hi, 10)
	if err != nil {
		return Linear(label, lo, hi)
	}
	return Axis{label, s, func(most int) []Tick { return byDecades(lo, hi, most) }}
}

// byDecades are as many ticks a decade as there is room for; where not even all of them
// make three, those of an even axis, which then is hardly another.
func byDecades(lo, hi float64, most int) []Tick {
	var best []Tick
	for _, of := range [][]float64{{1}, {1, 3}, {1, 2, 5}, {1, 2, 3, 5, 7}, {1, 2, 3, 4, 5, 6, 7, 8, 9}} {
		var ticks []Tick
		for power := math.Floor(math.Log10(lo)); power <= math.Log10(hi); power++ {
			for _, digit := range of {
				if v := digit * math.Pow(10, power); v >= lo && v <= hi {
					ticks = append(ticks, Tick{v, Short(v)})
				}
			}
		}
		if len(ticks) > most && best != nil {
			break
		}
		best = ticks
	}
	if len(best) < 3 {
		return evenly(lo, hi, most)
	}
	return best
}

// Tail is an axis of shares from 0 to a most below 1 that stretches what is close to 1: from
// 90 to 99 % is as far as from 0 to 90 %.
func Tail(label string, most float64) Axis {
	return Axis{label, stretched(most), func(int) (ticks []Tick) {
		for _, t := range []Tick{{0, "0 %"}, {0.5, "50 %"}, {0.9, "90 %"}, {0.95, "95 %"}, {0.99, "99 %"}, {0.999, "99.9 %"}, {0.9999, "99.99 %"}} {
			if t.At <= most {
				ticks = append(ticks, t)
			}
		}
		return ticks
	}}
}

type stretched float64

func (s stretched) Map(share float64) float64 { return math.Log1p(-share) / math.Log1p(-float64(s)) }

// Rows is an axis of names, the first one on top.
func Rows(names []string) Axis {
	n := float64(len(names))
	return Axis{"", scale.Linear{Min: n - 0.5, Max: -0.5}, func(int) (ticks []Tick) {
		for i, name := range names {
			ticks = append(ticks, Tick{float64(i), name})
		}
		return ticks
	}}
}

// Whole is an axis whose ticks are whole numbers.
func Whole(label string, lo, hi float64) Axis {
	return Axis{label, scale.Linear{Min: lo, Max: hi}, func(most int) (ticks []Tick) {
		for _, t := range evenly(lo, hi, most) {
			if t.At == math.Trunc(t.At) {
				ticks = append(ticks, t)
			}
		}
		return ticks
	}}
}
