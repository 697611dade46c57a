package report

import (
	"math"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

func TestJudgedFigures(t *testing.T) {
	rec := recordingtest.Judged()
	f := Derive(rec).Judged
	exact, less := f.Precisions[0], f.Precisions[1]
	// Of the first query, the passages with grades 0, 3, 0, 1 and another of grade 2 come in the
	// order 0, 3, 0, 1, and in int8 0, 0, 3, 1.
	best := 3 + 2/math.Log2(3) + 1./2
	at := []float64{3/math.Log2(3) + 1/math.Log2(5), 3./2 + 1/math.Log2(5)}
	for _, tt := range []struct {
		name      string
		got, want float64
	}{
		{"nDCG of f32", *exact.NDCG, (at[0]/best + 1) / 2}, {"float64's", *exact.ExactNDCG, (at[0]/best + 1) / 2},
		{"nDCG of int8", *less.NDCG, (at[1]/best + 1) / 2}, {"float64's, beside int8", *less.ExactNDCG, *exact.NDCG},
		{"difference", *less.Difference, (at[1] - at[0]) / best / 2},
		{"low", less.Interval[0], (at[1] - at[0]) / best}, {"high", less.Interval[1], 0},
		{"swapped", *less.SwappedShare, 1. / 7},
	} {
		if math.Abs(tt.got-tt.want) > 1e-14 {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	if exact.Queries != 3 || exact.Judged != 2 || exact.Pairs != 9 || *exact.SwappedShare != 0 || less.Queries != 2 || f.Queries != 3 {
		t.Errorf("%+v", f)
	}
	text := rendered(t, Derive(rec))
	for _, want := range []string{"## Accuracy on Judged Pairs", "_int8: only the first 2 of 3 queries were scored", "| int8"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "not this model's") {
		t.Errorf("the errors are small:\n%s", text)
	}
	if html := htmlOf(t, Derive(rec)); !strings.Contains(html, "Accuracy on Judged Pairs") {
		t.Error("the page lacks the section")
	}

	// Logits of another model are told from rounding, by the gate's limit.
	for _, scores := range rec.Judged.Scores[0].Scores {
		for i := range scores {
			scores[i] += 1
		}
	}
	rec.Precision = "f32"
	if text := rendered(t, Derive(rec)); !strings.Contains(text, "**f32: these errors are beyond what the accuracy gate allows") {
		t.Errorf("logits of another model pass:\n%s", text)
	}
	for i := range rec.Judged.Queries {
		rec.Judged.Queries[i].Grades = nil
	}
	if text := rendered(t, Derive(rec)); !strings.Contains(text, "Nobody judged the passages") {
		t.Errorf("a figure of judgements that there are not:\n%s", text)
	}
}
