package figure

import (
	"math"
	"strings"
	"testing"
)

// What is no number is not printed as one, by any of the formats.
func TestNoNumber(t *testing.T) {
	for _, v := range []*float64{nil, new(math.NaN()), new(math.Inf(1)), new(math.Inf(-1))} {
		for _, text := range []string{Shortest(v), Fixed(v, 2), WithUnit(v, 2, " ms"), Fixed(Scaled(v, 100), 1)} {
			if text != NotMeasured {
				t.Errorf("%v is printed as %q", v, text)
			}
		}
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"0 rounds": Count(0, "round"), "1 round": Count(1, "round"), "2 rounds": Count(2, "round"), "1 batch": Count(1, "batch"), "3 batches": Count(3, "batch"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The first number that cannot be is named as the file names it, through lists, pointers and
// what is embedded.
func TestCheck(t *testing.T) {
	type Inner struct {
		X float64 `json:"x"`
		N int     `json:"n"`
	}
	type outer struct {
		Inner
		Y    *float64 `json:"y,omitempty"`
		List []Inner  `json:"list"`
		skip float64
	}
	for want, v := range map[string]*outer{
		"":                        {Inner: Inner{X: -3}, Y: new(0.0), List: []Inner{{X: 1e100}, {X: 1e-100}}, skip: math.Inf(1)},
		`field "x": 1e-101`:       {Inner: Inner{X: 1e-101}},
		`field "y": NaN`:          {Y: new(math.NaN())},
		`field "list[1].x": -Inf`: {List: []Inner{{}, {X: math.Inf(-1)}}},
	} {
		err := Check(v)
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
