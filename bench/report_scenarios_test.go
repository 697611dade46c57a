package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestMixFigures(t *testing.T) {
	f := mixed().Report().Mix
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
	for load, s := range map[*Summary]*MixStages{f.Alone: f.AloneStages, f.Beside: f.BesideStages, f.Closed: f.ClosedStages, f.ClosedAlone: f.ClosedAloneStages} {
		if sum := s.Late + s.Queue + s.Tokenize + s.Infer + s.Unaccounted; fixed(&sum, 6) != fixed(&load.Mean, 6) || s.Late <= 0 || s.Queue <= s.Late {
			t.Errorf("%+v sum up to %v, want %v", s, sum, load.Mean)
		}
	}
	text := markdown(t, mixed().Report())
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
	f := flooded().Report().Overload
	if f.Offered != 970 || f.Accepted != 320 || f.Refused != 640 || f.Failed != 5 || f.Unsent != 5 || f.Refusal.N != 640 || f.Refusal.Max != 0.031 {
		t.Errorf("%+v", f)
	}
	if fixed(f.QueueRate, 6) != "246.153846" || *f.FloodRate != 256 || fixed(f.Ratio.Max, 6) != "1.074349" {
		t.Errorf("%v and %v pairs/s, maximum %v", *f.QueueRate, *f.FloodRate, *f.Ratio.Max)
	}
	text := markdown(t, flooded().Report())
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
	for want, rec := range map[string]*Recording{"## Small Calls Beside Bulk": mixed(), "## Overload": flooded()} {
		var b bytes.Buffer
		if err := rec.Report().WriteSummary(&b); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%v: no %q in\n%s", err, want, &b)
		}
	}
}

// Scenarios change nothing of what is read of configurations, and no comparison of them;
// a report of a scenario alone is read, and compared with any other.
func TestScenariosAreNoConfiguration(t *testing.T) {
	with := loads()
	with.Mix, with.Overload = mixed().Mix, flooded().Overload
	a, b := parsed(t, markdown(t, with.Report())), parsed(t, markdown(t, loads().Report()))
	if len(a.Configs) != 3 || len(b.Configs) != 3 {
		t.Fatalf("%d and %d configurations", len(a.Configs), len(b.Configs))
	}
	compared := func(a, b *Report) string {
		var text bytes.Buffer
		comparison := Compare(a, b)
		if err := comparison.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	if x, y := compared(a, seedLike().Report()), compared(b, seedLike().Report()); x != y {
		t.Errorf("compared\n%s\nand without scenarios\n%s", x, y)
	}
	for _, rec := range []*Recording{mixed(), flooded()} {
		var asJSON bytes.Buffer
		if err := rec.Report().WriteJSON(&asJSON); err != nil {
			t.Fatal(err)
		}
		read, back := parsed(t, markdown(t, rec.Report())), parsed(t, asJSON.String())
		for _, r := range []*Report{read, back} {
			if len(r.Configs) != 0 || r.Name != rec.Name || r.Environment == nil {
				t.Errorf("read %+v", r)
			}
			if text := compared(r, loads().Report()); !strings.Contains(text, "No configuration is in both reports") {
				t.Errorf("%s", text)
			}
		}
		if (back.Mix == nil) != (rec.Mix == nil) || (back.Overload == nil) != (rec.Overload == nil) {
			t.Errorf("%s: the scenario does not come back from JSON", rec.Name)
		}
	}
}

// No accuracy, no speed: what was asked for and counted is told, and no time.
func TestScenariosWithheld(t *testing.T) {
	for _, rec := range []*Recording{mixed(), flooded()} {
		rec.Accuracy = nil
		r := rec.Report()
		text := markdown(t, r)
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
	mix, overload := mixed(), flooded()
	for i := range mix.Mix.Phases {
		p := &mix.Mix.Phases[i]
		p.Small, p.BulkPairs, p.BulkTokens = nil, 0, 0
	}
	overload.Overload.Phases = []OverloadPhase{{Load: LoadFlood}}
	none := mixed()
	none.Mix.Phases = nil
	for _, rec := range []*Recording{mix, overload, none} {
		if err := WriteAll(t.TempDir(), rec); err != nil {
			t.Error(err)
		}
		if text := markdown(t, rec.Report()); strings.Contains(text, "NaN") || strings.Contains(text, "Inf |") {
			t.Errorf("%s", text)
		}
	}
}

func TestScenariosInRecordings(t *testing.T) {
	for want, spoil := range map[string]func(m *Mix, o *Overload){
		"mix: 0 bulk callers":                    func(m *Mix, _ *Overload) { m.BulkCallers = 0 },
		"rate 0":                                 func(m *Mix, _ *Overload) { m.Rate = 0 },
		`mix: phases[1]: field "load": "flood"`:  func(m *Mix, _ *Overload) { m.Phases[1].Load = LoadFlood },
		`phases[2]: field "length_ns"`:           func(m *Mix, _ *Overload) { m.Phases[2].Length = 0 },
		"round -1":                               func(m *Mix, _ *Overload) { m.Phases[0].Round = -1 },
		"-3 pairs":                               func(m *Mix, _ *Overload) { m.Phases[2].BulkPairs = -3 },
		`phases[0]: small[7]: field "pairs": 2`:  func(m *Mix, _ *Overload) { m.Phases[0].Small[7].Pairs = 2 },
		"overload: batch 0":                      func(_ *Mix, o *Overload) { o.Batch = 0 },
		"queue 0":                                func(_ *Mix, o *Overload) { o.MaxQueue = 0 },
		`overload: phases[1]: field "load"`:      func(_ *Mix, o *Overload) { o.Phases[1].Load = "ebb" },
		`overload: phases[0]: field "length_ns"`: func(_ *Mix, o *Overload) { o.Phases[0].Length = 0 },
		"-2 not sent":                            func(_ *Mix, o *Overload) { o.Phases[1].Unsent = -2 },
		`field "offered": 971, but 970 calls`:    func(_ *Mix, o *Overload) { o.Phases[1].Offered++ },
		"refused_ns[3]: -1ns":                    func(_ *Mix, o *Overload) { o.Phases[1].Refused[3] = -1 },
		`failed "engine: closed": 0 times`:       func(_ *Mix, o *Overload) { o.Phases[1].Failed["engine: closed"] = 0 },
		`accepted[4]: field "late_ns"`:           func(_ *Mix, o *Overload) { o.Phases[1].Accepted[4].Late = time.Hour },
	} {
		rec := mixed()
		rec.Overload = flooded().Overload
		if err := rec.Validate(); err != nil {
			t.Fatal(err)
		}
		spoil(rec.Mix, rec.Overload)
		if err := rec.Validate(); !errors.Is(err, ErrRecording) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

// Recordings and reports without a scenario are as they were.
func TestNoScenario(t *testing.T) {
	for _, v := range []any{loads(), loads().Report()} {
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
