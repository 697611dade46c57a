package peers

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// Texts are embedded by the same protocol: their values come whole, in order and in bits, and
// whoever answers too few, or none that are numbers, is out.
func TestRunEmbed(t *testing.T) {
	kinds := []string{"first", "miscounts", "is no number", "is wrong", "last"}
	o := options(t, kinds...)
	o.Task = recording.TaskEmbed
	o.Rows = nil
	for i := range 5 {
		o.Rows = append(o.Rows, Row{Text: strings.Repeat("t", i), IDs: []int32{1}, Types: []int32{0}})
	}
	over := 0.01
	o.Check = func(values []float64, precision string) (*recording.Accuracy, error) {
		a := &recording.Accuracy{Pairs: 5, TopK: 1, TopKAgreement: 0.8, FlippedOrders: &over, Embeddings: &recording.Embeddings{MeanDistance: 1.25e-5, WorstDistance: 2.5e-5}}
		for i := range 5 {
			if len(values) != 15 || values[3*i] != float64(i) || values[3*i+1] != 1 || values[3*i+2] != 2 {
				return a, fmt.Errorf("%s: %v", precision, values)
			}
		}
		a.Passed = true
		return a, nil
	}
	dir := t.TempDir()
	o.Keep = func(r *Recording) error { return r.Write(dir) }
	var r Recording
	if err := Run(t.Context(), &r, o); err != nil {
		t.Fatal(err)
	}
	for i, says := range map[int]string{1: "embeddings of 56 bytes for 5 texts", 2: "score 0 is NaN", 3: "f32: [1 1 2 1 1 2 2 1 2"} {
		if e := r.Entries[i]; !strings.Contains(e.Failure, says) || len(e.Turns) > 0 {
			t.Errorf("%s: %q, want %q", e.Name, e.Failure, says)
		}
	}
	for _, i := range []int{0, 4} {
		if e := r.Entries[i]; e.Failure != "" || len(e.Turns) != o.Rounds || len(e.Turns[0].Latencies) != 5 {
			t.Errorf("%+v", e)
		}
	}
	back, err := Read(filepath.Join(dir, File))
	if err != nil || back.Task != recording.TaskEmbed {
		t.Fatalf("%+v, %v", back, err)
	}
	var table strings.Builder
	if err := WriteMarkdown(&table, back); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Texts/s", "1 - cosine, mean", "Nearest kept", " 1.3e-05 |", " 2.5e-05 |", " 80.0 % |", " 1.00 % |", "5 texts of"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	for _, other := range []string{"airs", "the seed's own run"} {
		if strings.Contains(table.String(), other) {
			t.Errorf("%q in\n%s", other, table.String())
		}
	}
}
