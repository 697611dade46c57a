package report

import (
	"math"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

// The machine drifts from round to round, and ratios within a round do not see it.
func TestAblationFigures(t *testing.T) {
	rec := recordingtest.Ablated(7)
	f := Derive(rec).Ablation
	for _, tt := range []struct {
		name      string
		got, want float64
	}{
		{"full", f.Full.Pairs, 64 / 0.202}, {"plain", f.Plain.MSOfPair, 880 * 1.01 / 64}, {"whole", f.Whole.Ratio, 4.4},
		{"without packing", f.Ideas[0].Ratio.Ratio, 0.8}, {"in float32", f.Ideas[1].Ratio.Ratio, 0.5}, {"one thread", f.Ideas[2].Ratio.Ratio, 0.625},
		{"low", f.Ideas[0].Ratio.CI[0], 0.8}, {"high", f.Ideas[0].Ratio.CI[1], 0.8},
		{"CPU", *f.Full.CPU, 400. / 64}, {"CPU in float32", f.Ideas[1].CPU.Ratio, 2},
		{"product", *f.Product, 4}, {"interactions", *f.Interactions, 1.1},
		{"+ packing", f.Steps[0].Ratio.Ratio, 880. / 640}, {"+ int8", f.Steps[1].Ratio.Ratio, 2}, {"+ threads", f.Steps[2].Ratio.Ratio, 1.6},
		{"saved", f.Steps[1].Saved, 320 * 1.01 / 64}, {"padding", f.PaddingShare, 0.25},
		{"[CLS] alone", f.Kernels[0].Times.Ratio, (1203./1003 + 1204./1004) / 2}, {"[CLS], of the time", f.Kernels[0].Share, 0.9},
		{"[CLS], computed", f.Kernels[0].Ratio.Ratio, 1 / (1 + 0.9*(f.Kernels[0].Times.Ratio-1))},
		{"[CLS], computed, low", f.Kernels[0].Ratio.CI[0], 1 / (1 + 0.9*(f.Kernels[0].Times.CI[1]-1))},
	} {
		if d := tt.got/tt.want - 1; math.Abs(d) > 1e-6 {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	sum := 0.0
	for _, s := range f.fall() {
		sum += s.ms
	}
	if math.Abs(sum-f.Plain.MSOfPair) > 1e-9 {
		t.Errorf("the steps sum up to %v ms, want %v", sum, f.Plain.MSOfPair)
	}
	text := rendered(t, Derive(rec))
	for _, want := range []string{"## Where the Speed Came From", "| + products in int8 |", "| last layer for [CLS] alone | the last layer computes every row |", "| computed |",
		"25.0 % of the tokens are padding", "4.40 (4.40 to 4.40) times as fast", "multiplies to 4.00 times; the rest, a factor of 1.10"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if p := Derive(rec).stagePlot(); p.Missing != "" || !strings.Contains(p.Finding, "precision saves most") {
		t.Errorf("the waterfall: %q, %q", p.Missing, p.Finding)
	}
}

func TestAblationWithoutSome(t *testing.T) {
	if f := Derive(recordingtest.Ablated(5)).Ablation; f.Whole.CI != nil || f.Ideas[0].Ratio.CI != nil {
		t.Error("an interval of five rounds")
	}
	text := rendered(t, Derive(recordingtest.Ablated(5)))
	if !strings.Contains(text, "fewer than 6 are too few for one, and there are 5") {
		t.Errorf("the report does not say why there is no interval:\n%s", text)
	}
	// int8 cannot go alone where the rest needs it.
	rec := recordingtest.Ablated(6)
	a := rec.Ablation
	a.Variants[2].Off = []string{"packing", "precision"}
	f := Derive(rec).Ablation
	if f.Ideas[1].Run != nil || f.Product != nil || f.Steps == nil {
		t.Errorf("%+v", f)
	}
	if text := rendered(t, Derive(rec)); !strings.Contains(text, "| products in int8 | in f32 | n/a | n/a | n/a | n/a | n/a | cannot go alone |") {
		t.Errorf("%s", text)
	}
	failed := recordingtest.Ablated(6)
	failed.Accuracy.Passed = false
	if f := Derive(failed).Ablation; f != nil {
		t.Errorf("figures of speed of wrong scores: %+v", f)
	}
	if f := Derive(recordingtest.Ablated(0)).Ablation; f != nil {
		t.Errorf("figures without a round: %+v", f)
	}
}
