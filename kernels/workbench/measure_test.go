package workbench

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

func TestMeasure(t *testing.T) {
	f := &fake{at: time.Unix(0, 0)}
	cases := []*Case{
		f.fakeCase("short", fast, 10*time.Microsecond, false),
		f.fakeCase("long", fast, 20*time.Millisecond, false),
		f.fakeCase("endless", slow, time.Second, false),
		f.fakeCase("reset", slow, 100*time.Microsecond, true),
	}
	last := 0
	report, err := f.meter().measure(t.Context(), cases, Options{Count: 4, Time: 2 * time.Millisecond, Progress: func(stage string, done, total int) {
		switch {
		case stage == "kernels" && (done != last+1 || total != 16):
			t.Errorf("%d of %d repeats after %d", done, total, last)
		case stage == "kernels":
			last = done
		case stage != "preparing" || done > total || total != 4:
			t.Errorf("%s %d of %d", stage, done, total)
		}
	}})
	if err != nil || last != 16 {
		t.Fatalf("%v after %d repeats", err, last)
	}
	for i, want := range []struct {
		calls int
		ns    float64
	}{{200, 10e3}, {1, 20e6}, {1, 1e9}, {20, 100e3}} {
		r := report.Results[i]
		if r.Calls != want.calls || !slices.Equal(r.Samples, []float64{want.ns, want.ns, want.ns, want.ns}) {
			t.Errorf("%s: %d calls of %v ns, want %d of %v", r.Kernel, r.Calls, r.Samples, want.calls, want.ns)
		}
	}
	if len(report.Ceilings) != 2 || report.Ceilings[0].Variant != fast || report.Ceilings[1].Variant != slow {
		t.Fatalf("ceilings: %+v", report.Ceilings)
	}
	// The best of all rounds.
	if got, want := report.Ceilings[1].Peak, float64(1+lastIndex(f.log, "peak generic/f32")); got != want {
		t.Errorf("peak %v, want %v", got, want)
	}
	if got := report.Ceilings[0].Read; len(got) != 3 || !(got[0] > got[1] && got[1] > got[2] && got[2] > 0) {
		t.Errorf("bandwidths %v", got)
	}
	// A round is each case once, ceilings first.
	order := slices.Compact(slices.Clone(f.log[slices.Index(f.log, "peak avx512/f32"):]))
	round := []string{"peak avx512/f32", "peak generic/f32", "short", "long", "endless", "reset"}
	if want := slices.Concat(round, round, round, round); !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
}

func lastIndex(all []string, s string) int {
	for i := len(all) - 1; ; i-- {
		if all[i] == s {
			return i
		}
	}
}

// What reading the clock takes is not the kernel's.
func TestMeasureWithSlowClock(t *testing.T) {
	f := &fake{at: time.Unix(0, 0), tick: 50 * time.Nanosecond}
	report, err := f.meter().measure(t.Context(), []*Case{f.fakeCase("reset", fast, 300*time.Nanosecond, true)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := report.Results[0]
	if len(r.Samples) != DefaultCount || slices.ContainsFunc(r.Samples, func(ns float64) bool { return ns != 300 }) {
		t.Errorf("%v ns, want 300", r.Samples)
	}
}

// A call that others interrupt while it is looked at how long it takes is not
// taken for a long one.
func TestCallsOfInterrupted(t *testing.T) {
	f := &fake{at: time.Unix(0, 0)}
	runs := 0
	j := job{run: func() {
		f.at = f.at.Add(10 * time.Microsecond)
		if runs++; runs == 1 || runs == 2 {
			f.at = f.at.Add(50 * time.Millisecond)
		}
	}}
	if got := f.meter().calls(j, 2*time.Millisecond); got != 200 {
		t.Errorf("%d calls, want 200", got)
	}
}

func TestMeasureInterrupted(t *testing.T) {
	for _, at := range []int{0, 3, 4, 5} {
		ctx, cancel := context.WithCancel(t.Context())
		if at == 0 {
			cancel()
		}
		f := &fake{at: time.Unix(0, 0)}
		cases := []*Case{f.fakeCase("a", fast, time.Millisecond, false), f.fakeCase("b", fast, time.Millisecond, false)}
		report, err := f.meter().measure(ctx, cases, Options{Progress: func(stage string, done, _ int) {
			if stage == "kernels" && done == at {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) || report == nil {
			t.Fatalf("%v, %v", report, err)
		}
		a, b := len(report.Results[0].Samples), len(report.Results[1].Samples)
		if a+b != at || a-b != at%2 {
			t.Errorf("interrupted after %d repeats: %d and %d samples", at, a, b)
		}
		if want := min(at, 2); len(report.Measured()) != want {
			t.Errorf("%d results, want %d", len(report.Measured()), want)
		}
		cancel()
	}
}

// The whole of it, for a moment: the machine's own clock, ceilings and kernels.
func TestMeasureThisMachine(t *testing.T) {
	cases := Cases(Selection{Shapes: []Shape{{3, 33, 17}}})
	report, err := Measure(t.Context(), cases, Options{Count: 2, Time: time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Measured() {
		rates := report.Rates(r, r.Spread().Median)
		if len(r.Samples) != 2 || !(r.Spread().Min > 0) || !(rates.PeakShare > 0) || !(rates.RoofShare > 0) || rates.Level != "L1" {
			t.Errorf("%s: %+v, %+v", r.Name(), r, rates)
		}
	}
	if len(report.Measured()) != len(cases) {
		t.Errorf("%d results of %d cases", len(report.Measured()), len(cases))
	}
}
