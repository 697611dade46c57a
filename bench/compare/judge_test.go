package compare

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// ran is what a run told that took so much longer than one of 100 pairs/s, 300 batches.
func ran(slower float64) *report.Report {
	return &report.Report{
		Name: "made up", Model: recording.Model{ID: "m", WeightsSHA256: "w"}, Precision: "f32",
		Dataset:   &recording.Dataset{SHA256: "d"},
		ColdStart: &recording.ColdStart{Load: time.Duration(50e6 * slower), FirstScore: time.Duration(10e6 * slower)},
		Configs: []report.Figures{{
			Config:     report.Config{Batch: 32, Concurrency: 1, Loop: "closed"},
			Throughput: &report.Throughput{Average: 100 / slower},
			Latency:    &stats.Summary{N: 300, P50: 300 * slower, P95: 400 * slower, P99: 500 * slower},
		}},
	}
}

// rounds are so many with B slower by the factors of its ratios.
func rounds(ratios []float64) (out []Round) {
	for _, ratio := range ratios {
		out = append(out, Round{ran(1), ran(ratio)})
	}
	return out
}

func rowOf(t *testing.T, j *Judgement, measure string) *Row {
	t.Helper()
	for i := range j.Rows {
		if j.Rows[i].Measure == measure {
			return &j.Rows[i]
		}
	}
	t.Fatalf("no %s in %+v", measure, j)
	return nil
}

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		slower  []float64 // of B, each round
		gates   []Gate
		outcome Outcome
		text    string // of throughput
	}{
		"slower":          {repeat(1.10, 1.11, 1.09, 1.10, 1.12, 10), nil, Regression, "slower"},
		"faster":          {repeat(0.90, 0.91, 0.89, 0.92, 0.90, 10), nil, Passed, "faster"},
		"the same":        {repeat(1.01, 0.99, 1.00, 1.005, 0.995, 10), nil, Passed, "same within 3 %"},
		"too near":        {repeat(1.04, 1.06, 1.02, 1.035, 1.025, 10), nil, Undecided, "inconclusive: -3.4 % [-4.8, -2.2], about 70 more rounds"},
		"coarser gate":    {repeat(1.04, 1.05, 1.04, 1.06, 1.05, 10), []Gate{{"throughput", 0.10}}, Passed, "same within 10 %"},
		"finer gate":      {repeat(1.02, 1.025, 1.02, 1.03, 1.02, 10), []Gate{{"throughput", 0.01}}, Regression, "slower"},
		"five rounds":     {repeat(1.5, 1.5, 1.5, 1.5, 1.5, 5), nil, Undecided, "no verdict: 5 rounds, want at least 6"},
		"two rounds":      {[]float64{2, 2}, nil, Undecided, "no verdict: 2 rounds, want at least 6"},
		"one gate of six": {repeat(1.10, 1.11, 1.09, 1.10, 1.12, 6), []Gate{{"throughput", 0.03}}, Regression, "slower"},
		// p is 0.031, and of three gates 0.094.
		"three gates of six":   {repeat(1.10, 1.11, 1.09, 1.10, 1.12, 6), nil, Undecided, "inconclusive: -9.1 % [-10.3, -8.7], about 1 more round"},
		"three gates of seven": {repeat(1.10, 1.11, 1.09, 1.10, 1.12, 7), nil, Regression, "slower"},
		"not one gated":        {repeat(1.0, 1.0, 1.0, 1.0, 1.0, 10), []Gate{{"p99", 0.03}}, Passed, "same within 3 %"},
	} {
		j := Rounds(rounds(c.slower), c.gates)
		r := rowOf(t, j, "throughput")
		if got := r.String(); !strings.HasPrefix(got, c.text) || j.Outcome() != c.outcome {
			t.Errorf("%s: %s, %q; want %s, %q\n%+v", name, j.Outcome(), got, c.outcome, c.text, *r)
		}
		if !strings.HasPrefix(j.Summary(), string(c.outcome)+": ") {
			t.Errorf("%s: summary %q", name, j.Summary())
		}
		// A latency that grew is as slow as a throughput that fell.
		if p95 := rowOf(t, j, "p95"); p95.Verdict != r.Verdict && len(c.gates) == 0 {
			t.Errorf("%s: throughput is %s, P95 %s", name, r.Verdict, p95.Verdict)
		}
		// The sides' names turn a verdict round, and nothing else.
		var turned []Round
		for _, r := range rounds(c.slower) {
			turned = append(turned, Round{A: r.B, B: r.A})
		}
		opposite := map[Verdict]Verdict{Slower: Faster, Faster: Slower, Same: Same, Inconclusive: Inconclusive}
		if back := rowOf(t, Rounds(turned, c.gates), "throughput"); back.Verdict != opposite[r.Verdict] {
			t.Errorf("%s: %s, the other way round %s", name, r.Verdict, back.Verdict)
		}
	}
}

// repeat is the five values over and over, n in all.
func repeat(a, b, c, d, e float64, n int) (out []float64) {
	for i := range n {
		out = append(out, []float64{a, b, c, d, e}[i%5])
	}
	return out
}

// By hand: five ratios whose middle is 1.2, of which all are above 1.
func TestRowByHand(t *testing.T) {
	r := rowOf(t, Rounds(rounds([]float64{1.1, 1.4, 1.2, 1.3, 1.15}), nil), "p95")
	if math.Abs(r.Ratio-1.2) > 1e-12 || r.P != 2.0/32 || !r.Exact || math.Abs(r.B-480) > 1e-9 || r.A != 400 {
		t.Errorf("%+v", *r)
	}
	if len(r.Ratios) != 5 || math.Abs(r.Ratios[3]-1.3) > 1e-12 {
		t.Errorf("ratios %v", r.Ratios)
	}
	if r.Spread != nil || r.Threshold != DefaultThreshold {
		t.Errorf("A/A %v of five rounds, threshold %v", r.Spread, r.Threshold)
	}
}

// On a machine that takes now 1 and now 1.2, both sides in turns, a round's ratio is one of
// those by chance, and no difference below is believed.
func TestSpread(t *testing.T) {
	loud := func(slower float64) (out []Round) {
		for i := range 10 {
			out = append(out, Round{ran([]float64{1, 1.2}[i%2]), ran(slower * []float64{1, 1.2}[i%2])})
		}
		return out
	}
	// Each side was 20 % off its own last run, every time: medians of ten such ratios with
	// signs at random are that, or 0 where the signs are even. Twice that is the threshold; but
	// nothing is called the same within more than 25 %.
	r := rowOf(t, Rounds(loud(1.1), nil), "throughput")
	if r.Spread == nil || math.Abs(*r.Spread-0.44) > 1e-9 || r.Threshold != *r.Spread || r.String() != "same within 25 %" {
		t.Errorf("%s: A/A %v, %+v", r, r.Spread, *r)
	}
	if r := rowOf(t, Rounds(loud(1.3), nil), "throughput"); r.Verdict != Inconclusive {
		t.Errorf("%s: %+v", r, *r)
	}
	// And where somebody says how much, not within more than that.
	for slower, want := range map[float64]string{1.01: "same within 5 %", 1.1: "inconclusive: -9.1 % [-9.1, -9.1], about "} {
		j := Rounds(loud(slower), []Gate{{"throughput", 0.05}})
		if r := rowOf(t, j, "throughput"); !strings.HasPrefix(r.String(), want) || (r.Verdict == Same) != (j.Outcome() == Passed) {
			t.Errorf("%v: %s, %s, %+v", slower, r, j.Outcome(), *r)
		}
	}
	if r := rowOf(t, Rounds(loud(1.5), nil), "throughput"); r.Verdict != Slower {
		t.Errorf("%s: %+v", r, *r)
	}
	if r := rowOf(t, Rounds(rounds(repeat(1, 1, 1, 1, 1, 6)), nil), "throughput"); r.Spread == nil || *r.Spread != 0 || r.Threshold != DefaultThreshold {
		t.Errorf("a machine without noise: A/A %v, threshold %v", r.Spread, r.Threshold)
	}
}

// The guess is about right: with so many rounds more, like those that there are, there is a
// verdict.
func TestMoreRounds(t *testing.T) {
	gates := []Gate{{"throughput", 0.03}}
	// n values as a normal distribution of the mean 6 % and the deviation 4 % spreads them.
	spread := func(n int) (x []float64) {
		for i := range n {
			x = append(x, 1.06+0.04*math.Sqrt2*math.Erfinv((2*float64(i)+1)/float64(n)-1))
		}
		return x
	}
	r := rowOf(t, Rounds(rounds(spread(8)), gates), "throughput")
	if r.Verdict != Inconclusive || r.More < 2 || r.More > 20 {
		t.Fatalf("%s: %+v", r, *r)
	}
	if r := rowOf(t, Rounds(rounds(spread(8+2*r.More)), gates), "throughput"); r.Verdict != Slower {
		t.Errorf("%d rounds: %s, %+v", len(r.Ratios), r, r.Ratio)
	}
	// At the threshold itself no number of rounds says which side of it.
	at := rowOf(t, Rounds(rounds(repeat(1.03, 1.06, 1.001, 1.03, 1.03, 10)), gates), "throughput")
	if at.More != mostRounds || !strings.Contains(at.String(), "over 1000 more rounds: ") {
		t.Errorf("%s", at)
	}
}

func TestGroups(t *testing.T) {
	of := func(slower ...float64) (out []*report.Report) {
		for _, s := range slower {
			out = append(out, ran(s))
		}
		return out
	}
	gates := []Gate{{"throughput", 0.03}}
	for name, c := range map[string]struct {
		a, b    []*report.Report
		outcome Outcome
		text    string
	}{
		"one each":     {of(1), of(2), Undecided, "one run each: no verdict"},
		"three":        {of(1, 1, 1), of(2, 2, 2, 2), Undecided, "no verdict: 3 and 4 runs, want at least 4 of each side"},
		"slower":       {of(1, 1.01, 0.99, 1.02), of(1.1, 1.11, 1.09, 1.12), Regression, "slower"},
		"same":         {of(1, 1.001, 0.999, 1.002), of(1.001, 1, 0.998, 1.003), Passed, "same within 3 %"},
		"too few":      {of(1, 1.2, 0.8, 1.1), of(1.2, 1.4, 0.9, 1.3), Undecided, "inconclusive: "},
		"all the same": {of(1, 1, 1, 1), of(1, 1, 1, 1), Passed, "same within 3 %"},
	} {
		j := Groups(c.a, c.b, gates)
		if got := rowOf(t, j, "throughput").String(); !strings.HasPrefix(got, c.text) || j.Outcome() != c.outcome {
			t.Errorf("%s: %s, %q", name, j.Outcome(), got)
		}
	}
	// What scipy's exact test says: see ../stats/testdata/rounds.py.
	var wanted struct {
		Two []struct {
			A, B        []float64
			MannWhitney float64 `json:"mann_whitney"`
		}
	}
	data, err := os.ReadFile(filepath.Join("..", "stats", "testdata", "rounds.json"))
	if err == nil {
		err = json.Unmarshal(data, &wanted)
	}
	if err != nil || len(wanted.Two) < 5 {
		t.Fatalf("%d samples: %v", len(wanted.Two), err)
	}
	for _, c := range wanted.Two {
		r := rowOf(t, Groups(of(c.A...), of(c.B...), gates), "throughput")
		if math.Abs(r.P-c.MannWhitney) > 1e-12 || !r.Exact {
			t.Errorf("%v and %v: p %v, want %v", c.A, c.B, r.P, c.MannWhitney)
		}
	}
}

// What cannot be compared has no figure at all.
func TestFaults(t *testing.T) {
	for want, spoil := range map[string]func(*report.Report){
		"data set: A has d, B has d and e":                 func(r *report.Report) { r.Dataset.SHA256 = "e" },
		"weights: A has w, B has w and x":                  func(r *report.Report) { r.Model.WeightsSHA256 = "x" },
		"B has no speed figures: accuracy gate not passed": func(r *report.Report) { r.Withheld = "accuracy gate not passed" },
		"no configuration is in every run":                 func(r *report.Report) { r.Configs[0].Batch = 1 },
		"processor: A has one, B has another":              func(r *report.Report) { r.Environment = &recording.Environment{CPU: "another"} },
	} {
		all := rounds(repeat(1, 1, 1, 1, 1, 8))
		for i := range all {
			all[i].A.Environment = &recording.Environment{CPU: "one"}
		}
		spoil(all[5].B)
		j := Rounds(all, nil)
		if !slices.Contains(j.Faults, want) || j.Outcome() != Incomparable || len(j.Rows) > 0 {
			t.Errorf("faults %q, want %q; %s", j.Faults, want, j.Outcome())
		}
		var text bytes.Buffer
		if err := j.WriteText(&text, "x", nil); err != nil || !strings.Contains(text.String(), "**Not comparable:** "+want) || strings.Contains(text.String(), "pairs/s") {
			t.Errorf("%v\n%s", err, &text)
		}
	}
	if j := Rounds(nil, nil); j.Outcome() != Incomparable {
		t.Errorf("nothing: %s", j.Outcome())
	}
}

func TestJudgementGolden(t *testing.T) {
	var text bytes.Buffer
	sides := []Side{{"Flags", "--precision f32", "--precision | bf16"}, {"Program", "this one", ""}}
	if err := Rounds(rounds(repeat(1.10, 1.11, 1.09, 1.10, 1.12, 7)), nil).WriteText(&text, "B against A", sides); err != nil {
		t.Fatal(err)
	}
	text.WriteString("\n")
	a := report.Derive(recordingtest.Loads())
	if err := Groups([]*report.Report{a}, []*report.Report{a}, nil).WriteText(&text, "One of each", nil); err != nil {
		t.Fatal(err)
	}
	golden(t, "judgement.md", text.Bytes())
}
