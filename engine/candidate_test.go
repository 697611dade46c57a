package engine

import (
	"math/rand/v2"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// weigh decides with faked rates and errors, and counts the verdicts asked for.
func weigh(t *testing.T, rates, errors map[string]float64) (taken string, verdicts int) {
	t.Helper()
	var all []Candidate
	for name, rate := range rates {
		all = append(all, Candidate{Precision: name, TokensPerSecond: rate})
		if name == exact {
			all[len(all)-1].Deviation = &Deviation{}
		}
	}
	for {
		take, judge := decide(all)
		if judge < 0 {
			return all[take].Precision, verdicts
		}
		if take >= 0 || all[judge].Deviation != nil || verdicts > len(all) {
			t.Fatalf("take %d, judge %d of %+v", take, judge, all)
		}
		verdicts++
		e := errors[all[judge].Precision]
		all[judge].Deviation = &Deviation{Mean: e, Worst: 2 * e}
	}
}

func TestDecide(t *testing.T) {
	type figures = map[string]float64
	tests := []struct {
		name          string
		rates, errors figures
		want          string
		verdicts      int
	}{
		{"nothing else", figures{"f32": 100}, nil, "f32", 0},
		{"the fastest", figures{"f32": 100, "bf16": 170, "int8": 300}, figures{"int8": 0.02, "bf16": 0.01}, "int8", 1},
		{"the fastest that passes", figures{"f32": 100, "bf16": 170, "int8": 300}, figures{"int8": 0.2, "bf16": 0.01}, "bf16", 2},
		{"none passes", figures{"f32": 100, "bf16": 170, "int8": 300}, figures{"int8": 0.2, "bf16": 0.1}, "f32", 2},
		{"slower than float32 though exact enough", figures{"f32": 100, "bf16": 62}, figures{"bf16": 0.001}, "f32", 0},
		{"after a failure, only what is slower", figures{"f32": 100, "bf16": 62, "int8": 250}, figures{"int8": 0.2, "bf16": 0.001}, "f32", 1},
		{"faster than float32 by noise", figures{"f32": 100, "bf16": 105}, figures{"bf16": 0.001}, "f32", 0},
		{"more exact, and as fast but for noise", figures{"f32": 100, "bf16": 290, "int8": 300}, figures{"int8": 0.05, "bf16": 0.01}, "bf16", 2},
		{"less exact, and as fast but for noise", figures{"f32": 100, "bf16": 300, "int8": 290}, figures{"int8": 0.05, "bf16": 0.01}, "bf16", 2},
		{"as fast, and fails", figures{"f32": 100, "bf16": 290, "int8": 300}, figures{"int8": 0.05, "bf16": 0.1}, "int8", 2},
		{"more exact, and slower than noise explains", figures{"f32": 100, "bf16": 280, "int8": 300}, figures{"int8": 0.05, "bf16": 0.01}, "int8", 1},
		{"a third", figures{"f32": 100, "x3": 150, "bf16": 149, "int8": 300}, figures{"int8": 0.5, "bf16": 0.02, "x3": 1e-5}, "x3", 3},
	}
	for _, test := range tests {
		taken, verdicts := weigh(t, test.rates, test.errors)
		if taken != test.want || verdicts != test.verdicts {
			t.Errorf("%s: took %s after %d verdicts, want %s after %d", test.name, taken, verdicts, test.want, test.verdicts)
		}
	}
}

// Whatever the figures: what is chosen is close enough, at least 0.95 times as fast as
// the fastest that is, and not slower than float32.
func TestDecideKeepsItsWord(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"f32", "a", "b", "c", "d"}
	most := bounds(ofScores, "a").Mean
	for range 20000 {
		rates, errors := map[string]float64{}, map[string]float64{"f32": 0}
		for _, name := range names[:1+r.IntN(len(names))] {
			rates[name] = 100 * (0.5 + r.Float64())
			if name != "f32" {
				errors[name] = 0.15 * r.Float64()
			}
		}
		fastest := 0.0
		for name, rate := range rates {
			if errors[name] <= most {
				fastest = max(fastest, rate)
			}
		}
		taken, _ := weigh(t, rates, errors)
		if rate := rates[taken]; errors[taken] > most || rate < 0.95*fastest || rate < rates["f32"]*0.999999 {
			t.Fatalf("took %s of rates %v, errors %v", taken, rates, errors)
		}
	}
}

// One pair that is far off is as bad as many that are a little off, and orders that are
// swapped are counted more strictly of int8.
func TestWithinBounds(t *testing.T) {
	for _, test := range []struct {
		of         Deviation
		bf16, int8 bool
	}{
		{Deviation{}, true, true},
		{Deviation{Mean: 0.075, Worst: 0.3, Swapped: 0.006}, true, true},
		{Deviation{Mean: 0.076, Worst: 0.1}, false, false},
		{Deviation{Mean: 0.04, Worst: 0.31}, false, false},
		{Deviation{Mean: 0.01, Worst: 0.02, Swapped: 0.0061}, true, false},
		{Deviation{Mean: 0.01, Worst: 0.02, Swapped: 0.031}, false, false},
		{Deviation{Mean: infinite, Worst: infinite, Swapped: 1}, false, false},
	} {
		if got := test.of.within("bf16"); got != test.bf16 {
			t.Errorf("bf16 %+v: %v, want %v", test.of, got, test.bf16)
		}
		if got := test.of.within("int8"); got != test.int8 {
			t.Errorf("int8 %+v: %v, want %v", test.of, got, test.int8)
		}
	}
}

func TestSound(t *testing.T) {
	formats := []kernels.Format{kernels.Int8, kernels.F32}
	for _, test := range []struct {
		candidates []Candidate
		want       bool
	}{
		{[]Candidate{{Precision: "int8", TokensPerSecond: 2}, {Precision: "f32", TokensPerSecond: 1}}, true},
		{[]Candidate{{Precision: "f32", TokensPerSecond: 1}}, true}, // int8 was not to be had
		{[]Candidate{{Precision: "int8", TokensPerSecond: 2}}, false},
		{[]Candidate{{Precision: "f32", TokensPerSecond: 1}, {Precision: "f32", TokensPerSecond: 1}}, false},
		{[]Candidate{{Precision: "f16", TokensPerSecond: 1}, {Precision: "f32", TokensPerSecond: 1}}, false},
		{[]Candidate{{Precision: "int8", TokensPerSecond: 2}, {Precision: "f32"}}, false},
		{[]Candidate{{Precision: "int8", TokensPerSecond: -2}, {Precision: "f32", TokensPerSecond: 1}}, false},
		{[]Candidate{{Precision: "int8", TokensPerSecond: 2, Deviation: &Deviation{Mean: 0.1, Worst: 0.2}}, {Precision: "f32", TokensPerSecond: 1, Deviation: new(Deviation)}}, true},
		{[]Candidate{{Precision: "int8", TokensPerSecond: 2, Deviation: &Deviation{Mean: -1, Worst: -1}}, {Precision: "f32", TokensPerSecond: 1}}, false},
		{[]Candidate{{Precision: "int8", TokensPerSecond: 2, Deviation: &Deviation{Mean: 0.1, Worst: 0.2, Swapped: 1.1}}, {Precision: "f32", TokensPerSecond: 1}}, false},
		{[]Candidate{{Precision: "int8", TokensPerSecond: 2, Deviation: new(Deviation)}, {Precision: "f32", TokensPerSecond: 1}}, false},
		{[]Candidate{{Precision: "int8", TokensPerSecond: 2, Deviation: &Deviation{Mean: 0.1, Worst: 0.2, Of: ofLabels}}, {Precision: "f32", TokensPerSecond: 1}}, false},
		{nil, false},
	} {
		if got := sound(test.candidates, formats, ofScores); got != test.want {
			t.Errorf("%+v: %v, want %v", test.candidates, got, test.want)
		}
	}
}
