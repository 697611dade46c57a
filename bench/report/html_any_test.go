package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

// leaves calls visit with each value of a JSON document that has no others in it, of a long
// list those of its first two, and a function that sets it.
func leaves(at string, v any, set func(any), visit func(at string, set func(any), was any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			leaves(at+"."+key, v[key], func(to any) { v[key] = to }, visit)
		}
	case []any:
		for i := range v[:min(len(v), 2)] {
			leaves(fmt.Sprintf("%s[%d]", at, i), v[i], func(to any) { v[i] = to }, visit)
		}
		visit(at, set, v)
	default:
		visit(at, set, v)
	}
}

// A configuration with latencies and no batches, which no recording gives, is drawn as one
// whose batches are not told.
func TestPageWithoutBatches(t *testing.T) {
	r := Derive(recordingtest.SeedLike())
	r.Configs[0].Samples = new(Samples)
	for _, c := range r.courses() {
		if len(c.at) == 0 {
			t.Errorf("%s: a course of no batches", c.name)
		}
	}
	if err := r.WriteHTML(io.Discard); err != nil {
		t.Error(err)
	}
}

// A report.json that somebody wrote by hand, whatever its numbers, has a page or none, and
// never ends the program: nobody checks what is in it.
func TestPagesOfAnyReport(t *testing.T) {
	stride := 23
	if os.Getenv("MINILM_THOROUGH") != "" {
		stride = 1
	}
	n := 0
	for _, name := range []string{"seedlike.json", "loads.json", "loaded.json", "mixed.json", "flooded.json"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var document any
		if err := json.Unmarshal(data, &document); err != nil {
			t.Fatal(err)
		}
		leaves("", document, func(any) {}, func(at string, set func(any), was any) {
			for _, to := range []any{nil, 0, -1, 1e300, -1e300, 1e-300, []any{}} {
				if n++; n%stride != 0 {
					continue
				}
				set(to)
				text, err := json.Marshal(document)
				if err != nil {
					t.Fatal(err)
				}
				r := new(Report)
				if json.Unmarshal(text, r) != nil {
					continue // it is refused when it is read
				}
				func() {
					defer func() {
						if e := recover(); e != nil {
							t.Errorf("%s: %s = %v: %v", name, at, to, e)
						}
					}()
					var b bytes.Buffer
					if err := r.WriteHTML(&b); err != nil {
						t.Errorf("%s: %s = %v: %v", name, at, to, err)
					}
					if page := b.String(); strings.Contains(page, `="NaN`) || strings.Contains(page, `="MNaN`) || strings.Contains(page, "Inf\"") {
						t.Errorf("%s: %s = %v: it draws at no place", name, at, to)
					}
				}()
			}
			set(was)
		})
	}
	t.Logf("%d changes", n)
}
