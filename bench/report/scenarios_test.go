package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

func TestMixFigures(t *testing.T) {
	f := Derive(recordingtest.Mixed()).Mix
	if f.Rounds != 2 || f.Alone.N != 110 || f.Beside.N != 320 || f.Closed.N != 50 || f.ClosedAlone.N != 300 || f.Late.N != 430 || *f.Rate != 7.5 {
		t.Errorf("%+v", f)
	}
	for _, tt := range []struct {
		name      string
		got, want float64
	}{
		{"bulk alone", f.BulkAlone.Bulk, 1490.0 / 6}, {"tokens alone", f.BulkAlone.Tokens, 121_000.0 / 6},
		{"bulk beside", f.BulkBeside.Bulk, 3380.0 / 14}, {"small beside", f.BulkBeside.Small, 320.0 / 14}, {"together", f.BulkBeside.Total, 3700.0 / 14},
		{"bulk kept", *f.BulkBesideRatio, 274_400.0 / 14 / (121_000.0 / 6)}, {"bulk kept beside the closed loop", *f.BulkClosedRatio, 98.0 / 121},
		{"maximum", *f.BesideRatio.Max, 17.8 / 10.9}, {"closed maximum", *f.ClosedRatio.Max, 17.8 / 8.9},
		{"median of the bulk's ratios", *f.Median.BulkRatio, (134.4/7/20 + 140.0/7/(61.0/3)) / 2},
		{"round 2, bulk", *f.ByRound[1].BulkRatio, 140.0 / 7 / (61.0 / 3)},
	} {
		if d := tt.got/tt.want - 1; d > 1e-12 || d < -1e-12 {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	for load, s := range map[*stats.Summary]*MixStages{f.Alone: f.AloneStages, f.Beside: f.BesideStages, f.Closed: f.ClosedStages, f.ClosedAlone: f.ClosedAloneStages} {
		if sum := s.Late + s.Queue + s.Tokenize + s.Infer + s.Unaccounted; figure.Fixed(&sum, 6) != figure.Fixed(&load.Mean, 6) || s.Late <= 0 || s.Queue <= s.Late {
			t.Errorf("%+v sum up to %v, want %v", s, sum, load.Mean)
		}
	}
	text := rendered(t, Derive(recordingtest.Mixed()))
	for _, want := range []string{
		`_No configuration: see "Small Calls Beside Bulk" below._`,
		"**Bulk:** calls of 100000 pairs, callers: 8, in the background",
		"_P99 alone of 110 calls has no 95 % upper confidence bound (299 calls needed)",
		"_P95 and P99 of the closed loop beside the bulk of 50 calls have no 95 % upper",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "P99 beside the bulk of") {
		t.Errorf("320 calls are enough:\n%s", text)
	}
}

func TestOverloadFigures(t *testing.T) {
	f := Derive(recordingtest.Flooded()).Overload
	if f.Offered != 970 || f.Accepted != 320 || f.Refused != 640 || f.Failed != 5 || f.Unsent != 5 || f.Refusal.N != 640 || f.Refusal.Max != 0.031 {
		t.Errorf("%+v", f)
	}
	if figure.Fixed(f.QueueRate, 6) != "246.153846" || *f.FloodRate != 256 || figure.Fixed(f.Ratio.Max, 6) != "1.074349" {
		t.Errorf("%v and %v pairs/s, maximum %v", *f.QueueRate, *f.FloodRate, *f.Ratio.Max)
	}
	text := rendered(t, Derive(recordingtest.Flooded()))
	for _, want := range []string{
		"| Offered | 970 | 100.00 |", "| Not sent | 5 | 0.52 |",
		`**Failed:** 2 with "context | canceled"`, `**Failed:** 3 with "engine: closed"`,
		"offered over served without a flood: 3.05",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}

// What a terminal shows has the scenario.
func TestScenariosInTheSummary(t *testing.T) {
	for want, rec := range map[string]*recording.Recording{"## Small Calls Beside Bulk": recordingtest.Mixed(), "## Overload": recordingtest.Flooded()} {
		var b bytes.Buffer
		if err := Derive(rec).WriteSummary(&b); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%v: no %q in\n%s", err, want, &b)
		}
	}
}

// No accuracy, no speed: what was asked for and counted is told, and no time.
func TestScenariosWithheld(t *testing.T) {
	for _, rec := range []*recording.Recording{recordingtest.Mixed(), recordingtest.Flooded()} {
		rec.Accuracy = nil
		r := Derive(rec)
		text := rendered(t, r)
		text = text[strings.Index(text, "## Results Summary"):strings.Index(text, "## Overall Summary")]
		for _, figure := range []string{"7.50", "8.9", "248.3", "250.0", "750.0", "0.031", "17.8", "289", "256.0"} {
			if strings.Contains(text, figure) {
				t.Errorf("%s tells %s:\n%s", rec.Name, figure, text)
			}
		}
		if r.Mix != nil && (r.Mix.Alone != nil || r.Mix.Rate != nil || r.Mix.BulkAlone != nil || r.Mix.ByRound != nil || r.Mix.AloneStages != nil || r.Mix.BulkCallers != 8) {
			t.Errorf("%+v", r.Mix)
		}
		if r.Overload != nil && (r.Overload.Queue != nil || r.Overload.Capacity != nil || r.Overload.Refusal != nil || r.Overload.FloodRate != nil || r.Overload.Refused != 640) {
			t.Errorf("%+v", r.Overload)
		}
	}
}

// A load in which nothing happened has no figures, and none that is no number.
func TestScenariosOfNothing(t *testing.T) {
	mix, overload := recordingtest.Mixed(), recordingtest.Flooded()
	for i := range mix.Mix.Phases {
		p := &mix.Mix.Phases[i]
		p.Small, p.BulkPairs, p.BulkTokens = nil, 0, 0
	}
	overload.Overload.Phases = []recording.OverloadPhase{{Load: recording.LoadFlood}}
	none := recordingtest.Mixed()
	none.Mix.Phases = nil
	for _, rec := range []*recording.Recording{mix, overload, none} {
		if err := writeAll(t.TempDir(), rec); err != nil {
			t.Error(err)
		}
		if text := rendered(t, Derive(rec)); strings.Contains(text, "NaN") || strings.Contains(text, "Inf |") {
			t.Errorf("%s", text)
		}
	}
}

// Recordings and reports without a scenario are as they were.
func TestNoScenario(t *testing.T) {
	for _, v := range []any{recordingtest.Loads(), Derive(recordingtest.Loads())} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"mix", "overload"} {
			if _, told := fields[name]; told {
				t.Errorf("%T has a field %q", v, name)
			}
		}
	}
}
