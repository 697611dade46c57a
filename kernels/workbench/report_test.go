package workbench

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
)

func TestGolden(t *testing.T) {
	p := made()
	var table, benchstat, document strings.Builder
	if err := p.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.txt", table.String())
	if err := p.WriteBenchstat(&benchstat); err != nil {
		t.Fatal(err)
	}
	golden(t, "benchstat.txt", benchstat.String())
	out := json.NewEncoder(&document)
	out.SetIndent("", "  ")
	if err := out.Encode(p.Document(map[string]string{"cpu": "none"})); err != nil {
		t.Fatal(err)
	}
	golden(t, "document.json", document.String())
}

// Before anything was measured there is nothing to print but that, and no list
// is null.
func TestEmptyReport(t *testing.T) {
	p := made()
	for _, r := range p.Results {
		r.Samples = nil
	}
	var table, benchstat strings.Builder
	if err := p.WriteTable(&table); err != nil || strings.Contains(table.String(), "qkv") {
		t.Errorf("%v:\n%s", err, table.String())
	}
	if err := p.WriteBenchstat(&benchstat); err != nil || strings.Contains(benchstat.String(), "Benchmark") {
		t.Errorf("%v:\n%s", err, benchstat.String())
	}
	text, err := json.Marshal(p.Document(nil))
	if err != nil || !strings.Contains(string(text), `"results":[]`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestRates(t *testing.T) {
	p := made()
	for _, test := range []struct {
		name string
		work Work
		ns   float64
		want Rates
	}{
		{"bound by arithmetic", Work{1000, 100, 100}, 20, Rates{50e9, 5e9, 0.5, "L1", "peak", 100e9, 0.5}},
		{"bound by L1", Work{1000, 20_000, 20_000}, 40, Rates{25e9, 500e9, 0.25, "L1", "L1", 50e9, 0.5}},
		{"as much as fits into L1", Work{1000, 64 << 10, 32 << 10}, 100, Rates{10e9, 655.36e9, 0.1, "L1", "L1", 1e15 / (64 << 10), 0.65536}},
		{"one byte more: L2", Work{1000, 1000, 32<<10 + 1}, 20, Rates{50e9, 50e9, 0.5, "L2", "peak", 100e9, 0.5}},
		{"bound by DRAM, and faster", Work{1000, 1000, 2 << 20}, 50, Rates{20e9, 20e9, 0.2, "DRAM", "DRAM", 10e9, 2}},
	} {
		got := p.Rates(&Result{Case: &Case{Variant: fast, Work: test.work}}, test.ns)
		near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-12*b }
		w := test.want
		if got.Level != w.Level || got.Bound != w.Bound || !near(got.FLOPS, w.FLOPS) || !near(got.Bandwidth, w.Bandwidth) ||
			!near(got.PeakShare, w.PeakShare) || !near(got.Roofline, w.Roofline) || !near(got.RoofShare, w.RoofShare) {
			t.Errorf("%s: %+v, want %+v", test.name, got, w)
		}
	}
	// Without a ceiling there are no shares.
	for _, v := range []kernels.Variant{slow, {ISA: set("neon"), Format: kernels.F32}} {
		if got, want := p.Rates(&Result{Case: &Case{Variant: v, Work: Work{10, 10, 10}}}, 10), (Rates{FLOPS: 1e9, Bandwidth: 1e9, Level: "L1"}); got != want {
			t.Errorf("%v: %+v, want %+v", v, got, want)
		}
	}
}

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		samples []float64
		want    Spread
	}{
		{[]float64{7}, Spread{7, 7, 7, 7, 7}},
		{[]float64{3, 1}, Spread{1, 1.5, 2, 2.5, 3}},
		{[]float64{5, 1, 4, 2, 3}, Spread{1, 2, 3, 4, 5}},
	} {
		r := &Result{Samples: test.samples}
		if got := r.Spread(); got != test.want {
			t.Errorf("%v: %+v, want %+v", test.samples, got, test.want)
		}
	}
	if got := (Spread{1, 2, 4, 5, 6}).Relative(); got != 0.375 {
		t.Errorf("relative spread %v, want 0.375", got)
	}
}

func TestDuration(t *testing.T) {
	for ns, want := range map[float64]string{
		0.5: "0.50 ns", 71.54: "71.5 ns", 999.4: "999 ns", 999.6: "1.00 µs", 12345: "12.3 µs",
		2.5e6: "2.50 ms", 1e9: "1.00 s", 123e9: "123 s", 12345e9: "12345 s",
	} {
		if got := duration(ns); got != want {
			t.Errorf("%v ns: %q, want %q", ns, got, want)
		}
	}
}
