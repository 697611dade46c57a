package compare

import (
	"slices"
	"testing"
)

// 58 batches are no P95 to depend on, 298 no P99: left out, and where somebody asked for it,
// not passed.
func TestPercentilesAsGates(t *testing.T) {
	for _, c := range []struct {
		batches int
		gates   []Gate
		gated   []string
		outcome Outcome
	}{
		{300, nil, []string{"throughput", "p95", "first-score"}, Passed},
		{59, nil, []string{"throughput", "p95", "first-score"}, Passed},
		{58, nil, []string{"throughput", "first-score"}, Passed},
		{299, []Gate{{"p99", 0.03}}, []string{"p99"}, Passed},
		{298, []Gate{{"p99", 0.03}}, nil, Undecided},
		{298, []Gate{{"p99", 0.03}, {"throughput", 0.03}}, []string{"throughput"}, Undecided},
	} {
		all := rounds(repeat(1, 1, 1, 1, 1, 8))
		all[3].B.Configs[0].Latency.N = c.batches
		j := Rounds(all, c.gates)
		var gated []string
		for _, r := range j.Rows {
			if r.Gated {
				gated = append(gated, r.Measure)
			}
		}
		if !slices.Equal(gated, c.gated) || j.Outcome() != c.outcome {
			t.Errorf("%d batches, %v: gated %q, %s: %s", c.batches, c.gates, gated, j.Outcome(), j.Summary())
		}
	}
}

func TestParseGate(t *testing.T) {
	for text, want := range map[string]Gate{
		"throughput": {"throughput", 0.03}, "p95=5%": {"p95", 0.05}, "first-score=12.5 %": {"first-score", 0.125}, "load=100%": {"load", 1},
	} {
		if got, err := ParseGate(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "speed", "throughput=5", "throughput=", "throughput=0%", "throughput=-1%", "throughput=NaN%", "throughput=101%", "p95=x%"} {
		if got, err := ParseGate(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
