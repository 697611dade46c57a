package engine

import (
	"encoding/json"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// Whatever a calibration file says of a model, it is refused, or a precision is chosen
// from it: with any verdicts on those that it leaves open, after no more of them than
// there are candidates.
func FuzzCalibration(f *testing.F) {
	for _, text := range []string{
		`{"candidates":[{"precision":"f32","tokens_per_second":100}]}`,
		`{"candidates":[{"precision":"f32","tokens_per_second":100},{"precision":"int8","tokens_per_second":300},{"precision":"bf16","tokens_per_second":290,"deviation":{"mean":0.001,"worst":0.01,"swapped":0.002}}]}`,
		`{"candidates":[{"precision":"f32","tokens_per_second":-1},{"precision":"f32"}]}`,
		`{"candidates":[{"precision":"f32","tokens_per_second":1e308},{"precision":"bf16","tokens_per_second":1e-320,"deviation":{"mean":0,"worst":1e999}}]}`,
		`{"measured":"2026-01-02T03:04:05Z","candidates":null}`, `{"candidates":[{}]}`, `[]`,
	} {
		f.Add([]byte(text), uint8(5))
	}
	formats := []kernels.Format{kernels.F32, kernels.BF16, kernels.Int8}
	good, bad := &Deviation{Mean: 1e-9, Worst: 1e-9}, &Deviation{Mean: 1e9, Worst: 1e9}
	if !good.within("int8") || bad.within("int8") {
		f.Fatal("verdicts are not what they should be")
	}
	f.Fuzz(func(t *testing.T, text []byte, verdicts uint8) {
		if len(text) > 250 { // enough for three candidates; long ones go test shortens for minutes
			return
		}
		var c calibration
		if json.Unmarshal(text, &c) != nil || !sound(c.Candidates, formats, ofScores) {
			return
		}
		all := c.Candidates
		if len(all) < 1 || len(all) > len(formats) {
			t.Fatalf("%d candidates", len(all))
		}
		for i := range all {
			if all[i].Precision == exact { // as openFastest does
				all[i].Deviation = new(Deviation)
			}
		}
		for range len(all) + 1 {
			take, judge := decide(all)
			if judge < 0 {
				if take < 0 || take >= len(all) || !all[take].passes() {
					t.Fatalf("%d is taken of %+v", take, all)
				}
				return
			}
			if take >= 0 || judge >= len(all) || all[judge].Deviation != nil {
				t.Fatalf("take %d, judge %d of %+v", take, judge, all)
			}
			all[judge].Deviation = bad
			if verdicts>>judge&1 == 1 {
				all[judge].Deviation = good
			}
		}
		t.Fatalf("no end of verdicts on %+v", all)
	})
}
