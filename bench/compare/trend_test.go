package compare

import (
	"bytes"
	"math"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

func TestTrend(t *testing.T) {
	first, second, third := report.Derive(recordingtest.SeedLike()), report.Derive(faster(0.5)), report.Derive(recordingtest.Loads())
	third.Model.ID, third.Started = "another", third.Started.AddDate(0, 1, 0)
	trend := TrendOf([]*report.Report{first, second, third, report.Derive(recordingtest.Failed())})
	row := trend.Rows[0]
	if row.Title != "Throughput (pairs/s), batch=32, conc=1" || math.Abs(*row.Ratios[1]-2) > 0.01 || *row.Ratios[0] != 1 || row.Values[3] != nil || row.Ratios[3] != nil {
		t.Errorf("%+v", row)
	}
	// A configuration that the first has not has values, and no ratio.
	for _, row := range trend.Rows {
		if row.Title == "Throughput (pairs/s), batch=8, conc=4" && (row.Values[0] != nil || row.Values[2] == nil || row.Ratios[2] != nil) {
			t.Errorf("%+v", row)
		}
	}
	var text bytes.Buffer
	if err := trend.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	golden(t, "trend.md", text.Bytes())
}
