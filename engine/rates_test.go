package engine

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

func TestShortest(t *testing.T) {
	for _, test := range []struct {
		times         []time.Duration
		first, second time.Duration
		found         bool
	}{
		{[]time.Duration{}, 0, 0, false},
		{[]time.Duration{100}, 100, 0, false},
		{[]time.Duration{100, 200}, 100, 200, false},
		{[]time.Duration{200, 100}, 100, 200, false},
		{[]time.Duration{200, 100, 104}, 100, 104, true},
		{[]time.Duration{100, 104, 80}, 80, 100, false},
		{[]time.Duration{100, 300, 200}, 100, 200, false},
		{[]time.Duration{100, 100}, 100, 100, true},
		{[]time.Duration{0, 0}, 1, 1, true}, // a clock that does not tick still gives a rate
	} {
		var s shortest
		for _, took := range test.times {
			s.add(took)
		}
		if s.first != test.first || s.second != test.second || s.found() != test.found {
			t.Errorf("%d: %+v, found %v", test.times, s, s.found())
		}
	}
	// Two workers on one core, if there are no more, have half of what each has alone.
	c := contender{times: []shortest{{first: time.Millisecond}, {first: 2 * time.Millisecond}}}
	if rate, want := c.rate(192), 96000*1.5*float64(min(2, runtime.GOMAXPROCS(0))); rate != want {
		t.Errorf("192 tokens in 1 and in 2 ms are %g a second, want %g", rate, want)
	}
}

// Every format of every instruction set that may be used has a speed, whatever the number of workers
// and however short sequences must be.
func TestRates(t *testing.T) {
	modeltest.OnlyValues(t)
	for _, opts := range [][]Option{{Workers(1)}, {Workers(3)}, {MaxLength(8)}} {
		e := openShape(t, 1, calibrated, append(opts, Precision("f32"), Device("cpu"))...)
		for _, isa := range kernels.Permitted() {
			found, err := e.rates(isa, isa.Formats())
			if err != nil || !sound(found, isa.Formats(), ofScores) || len(found) != len(isa.Formats()) {
				t.Errorf("%v: %+v, %v", isa, found, err)
			}
		}
	}
}

// A format that a model cannot be had in is left out, and that is said.
func TestFormatIsLeftOut(t *testing.T) {
	if testing.Short() {
		t.Skip("a layer so wide takes minutes where instructions are emulated")
	}
	if isa := kernels.Best(); isa == kernels.Generic || !slices.Contains(isa.Formats(), kernels.Int8) {
		t.Skipf("%v has no int8 to be left out", isa)
	}
	wide := synth.Shape{Layers: 1, Hidden: 8, Heads: 1, Intermediate: kernels.MostInt8 + 8, Vocab: 1000, Positions: 24, Types: 2, Labels: 1}
	e := openShape(t, 1, wide, Device("cpu"))
	if !says(e, "not int8: ") || e.Info().Precision == "int8" {
		t.Errorf("%s: %q", e.Info().Precision, e.Info().Choices)
	}
	if slices.ContainsFunc(e.Info().Candidates, func(c Candidate) bool { return c.Precision == "int8" }) {
		t.Errorf("int8 is a candidate: %+v", e.Info().Candidates)
	}
}

// What the system refuses is passed over, and the reason is kept.
func TestFirstUsable(t *testing.T) {
	best, good := kernels.ISA(2), kernels.ISA(1) // whichever these are
	sets := []kernels.ISA{best, good, kernels.Generic}
	no := errors.New("no permission")
	isa, refused, err := firstUsable(sets, func(isa kernels.ISA) error {
		if isa == best {
			return no
		}
		return nil
	})
	if isa != good || err != nil || len(refused) != 1 || !strings.Contains(refused[0], "not "+best.String()+": no permission") {
		t.Errorf("%v, %q, %v", isa, refused, err)
	}
	if isa, refused, err := firstUsable(sets, func(kernels.ISA) error { return nil }); isa != sets[0] || refused != nil || err != nil {
		t.Errorf("all usable: %v, %q, %v", isa, refused, err)
	}
	if _, refused, err := firstUsable(sets, func(kernels.ISA) error { return no }); !errors.Is(err, ErrDevice) || !errors.Is(err, no) || len(refused) != len(sets) {
		t.Errorf("none usable: %q, %v", refused, err)
	}
}

// Workers that are more than there are cores are no faster than as many as there are.
func TestRateOfManyWorkers(t *testing.T) {
	cores := runtime.GOMAXPROCS(0)
	for workers, want := range map[int]float64{1: 1, cores: float64(cores), 3 * cores: float64(cores)} {
		c := &contender{times: slices.Repeat([]shortest{{first: time.Second}}, workers)}
		if got := c.rate(1); math.Abs(got-want) > 1e-9 {
			t.Errorf("%d workers on %d cores: %g tokens/s, want %g", workers, cores, got, want)
		}
	}
}
