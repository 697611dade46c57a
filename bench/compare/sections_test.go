package compare

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// The section changes nothing of what is read of a report, and no comparison.
func TestStagesAreNoMetric(t *testing.T) {
	with, without := recordingtest.StagesOn(), recordingtest.StagesOn()
	without.Runs[1].Stages = nil
	if a, b := parsed(t, rendered(t, report.Derive(with))), parsed(t, rendered(t, report.Derive(without))); !reflect.DeepEqual(a, b) {
		t.Errorf("read\n%+v\nand without stages\n%+v", a, b)
	}
	var texts [2]bytes.Buffer
	for i, rec := range []*recording.Recording{with, without} {
		comparison := Reports(report.Derive(rec), report.Derive(recordingtest.SeedLike()))
		if err := comparison.WriteText(&texts[i]); err != nil {
			t.Fatal(err)
		}
	}
	if texts[0].String() != texts[1].String() {
		t.Errorf("compared\n%s\nand without stages\n%s", &texts[0], &texts[1])
	}
}

// Scenarios change nothing of what is read of configurations, and no comparison of them;
// a report of a scenario alone is read, and compared with any other.
func TestScenariosAreNoConfiguration(t *testing.T) {
	with := recordingtest.Loads()
	with.Mix, with.Overload = recordingtest.Mixed().Mix, recordingtest.Flooded().Overload
	a, b := parsed(t, rendered(t, report.Derive(with))), parsed(t, rendered(t, report.Derive(recordingtest.Loads())))
	if len(a.Configs) != 3 || len(b.Configs) != 3 {
		t.Fatalf("%d and %d configurations", len(a.Configs), len(b.Configs))
	}
	compared := func(a, b *report.Report) string {
		var text bytes.Buffer
		comparison := Reports(a, b)
		if err := comparison.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	if x, y := compared(a, report.Derive(recordingtest.SeedLike())), compared(b, report.Derive(recordingtest.SeedLike())); x != y {
		t.Errorf("compared\n%s\nand without scenarios\n%s", x, y)
	}
	for _, rec := range []*recording.Recording{recordingtest.Mixed(), recordingtest.Flooded(), recordingtest.Ablated(6)} {
		var asJSON bytes.Buffer
		if err := report.Derive(rec).WriteJSON(&asJSON); err != nil {
			t.Fatal(err)
		}
		read, back := parsed(t, rendered(t, report.Derive(rec))), parsed(t, asJSON.String())
		for _, r := range []*report.Report{read, back} {
			if len(r.Configs) != 0 || r.Name != rec.Name || r.Environment == nil {
				t.Errorf("read %+v", r)
			}
			if text := compared(r, report.Derive(recordingtest.Loads())); !strings.Contains(text, "No configuration is in both reports") {
				t.Errorf("%s", text)
			}
		}
		if (back.Mix == nil) != (rec.Mix == nil) || (back.Overload == nil) != (rec.Overload == nil) || (back.Ablation == nil) != (rec.Ablation == nil) {
			t.Errorf("%s: the scenario does not come back from JSON", rec.Name)
		}
	}
}
