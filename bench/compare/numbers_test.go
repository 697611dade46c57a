package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/model/memorytest"
)

// values calls visit with each value of a JSON document, of a list those of its first two,
// and a function that sets it.
func values(at string, v any, set func(any), visit func(at string, set func(any), was any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			values(strings.TrimPrefix(at+"."+key, "."), v[key], func(to any) { v[key] = to }, visit)
		}
	case []any:
		for i := range v[:min(len(v), 2)] {
			values(fmt.Sprintf("%s[%d]", at, i), v[i], func(to any) { v[i] = to }, visit)
		}
	}
	if at != "" {
		visit(at, set, v)
	}
}

var noNumber = regexp.MustCompile(`\b(Inf|NaN)\b`)

// Whatever a number of a recording or of a report is, and what is missing in it, it is
// refused by its name, or no page, file or comparison has anything that is no number.
func TestAnyNumber(t *testing.T) {
	if memorytest.RaceDetector {
		t.Skip("one goroutine, ten times as slow")
	}
	stride := 97
	if os.Getenv("MINILM_THOROUGH") != "" {
		stride = 23 // all of them take three minutes
	}
	tried, refused, n := 0, 0, 0
	for name, rec := range []*recording.Recording{recordingtest.SeedLike(), recordingtest.Loads(), recordingtest.Mixed(), recordingtest.Flooded(), recordingtest.Loaded(), recordingtest.Failed()} {
		base := report.Derive(rec)
		for kind, root := range []any{rec, base} {
			text, err := json.Marshal(root)
			if err != nil {
				t.Fatal(err)
			}
			var document any
			if err := json.Unmarshal(text, &document); err != nil {
				t.Fatal(err)
			}
			values("", document, func(any) {}, func(at string, set func(any), was any) {
				tries := []any{nil, map[string]any{}}
				if _, number := was.(float64); number || was == nil {
					tries = []any{nil, 0, json.Number("1e-320"), 1e308, -1e308, 1e100, 1e-100}
				}
				for _, to := range tries {
					if n++; n%stride != 0 {
						continue
					}
					tried++
					set(to)
					text, err := json.Marshal(document)
					if err != nil {
						t.Fatal(err)
					}
					r, err := Parse(bytes.NewReader(text))
					if err != nil {
						refused++
						if !errors.Is(err, ErrParse) && !errors.Is(err, recording.ErrInvalid) {
							t.Errorf("%d.%d: %s = %v: error %v", name, kind, at, to, err)
						}
						continue
					}
					sides := Reports(base, r)
					for form, write := range map[string]func(io.Writer) error{
						"page": r.WriteHTML, "markdown": r.WriteMarkdown, "JSON": r.WriteJSON, "CSV": r.WriteCSV, "comparison": sides.WriteText,
						"page of a comparison": sides.WriteHTML, "judgement": func(w io.Writer) error {
							return Groups([]*report.Report{base}, []*report.Report{r}, nil).WriteText(w, "title", nil)
						},
					} {
						var b bytes.Buffer
						err := write(&b)
						if found := noNumber.FindStringIndex(b.String()); err != nil || found != nil {
							where := ""
							if found != nil {
								where = b.String()[max(0, found[0]-60):min(b.Len(), found[1]+20)]
							}
							t.Errorf("%d.%d: %s = %v: %s: %v, %q", name, kind, at, to, form, err, where)
						}
					}
				}
				set(was)
			})
		}
	}
	if tried < 100 || refused < 10 {
		t.Errorf("%d changes, %d of them refused", tried, refused)
	}
}

// Found by trying all: what a report does not tell, or tells as 0, is in no sentence.
func TestReportsThatTellLess(t *testing.T) {
	mixed, loaded := report.Derive(recordingtest.Mixed()), report.Derive(recordingtest.Loaded())
	mixed.Mix.BesideRatio, loaded.Load.Capacity = nil, new(0.0)
	for _, r := range []*report.Report{mixed, loaded} {
		for _, write := range []func(io.Writer) error{r.WriteHTML, r.WriteMarkdown} {
			var b bytes.Buffer
			if err := write(&b); err != nil || noNumber.MatchString(b.String()) {
				t.Errorf("%s: %v, %q", r.Name, err, noNumber.FindString(b.String()))
			}
		}
	}
}

// The error has the field's name, as the file has it.
func TestNumbersNamed(t *testing.T) {
	for field, change := range map[string]func(*recording.Recording){
		"peak_flops":                     func(r *recording.Recording) { r.Peak = new(1e-320) },
		"accuracy.logit_sd":              func(r *recording.Recording) { r.Accuracy.LogitSD = 1e-320 },
		"accuracy.offset_tolerance":      func(r *recording.Recording) { r.Accuracy.OffsetTolerance = 1e308 },
		"runs[0].rate":                   func(r *recording.Recording) { r.Runs[0].Rate = -1e308 },
		"runs[0].samples[3].cpu_percent": func(r *recording.Recording) { r.Runs[0].Samples[3].CPU = new(1e200) },
		"environment.noise":              func(r *recording.Recording) { r.Environment.Noise = new(1e-200) },
	} {
		rec := recordingtest.SeedLike()
		change(rec)
		if err := rec.Validate(); !errors.Is(err, recording.ErrInvalid) || !strings.Contains(err.Error(), fmt.Sprintf("field %q: ", field)) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
