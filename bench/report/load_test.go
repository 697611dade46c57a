package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

func TestLoadFigures(t *testing.T) {
	rec := recordingtest.Loaded()
	if err := rec.Validate(); err != nil {
		t.Fatal(err)
	}
	r := Derive(rec)
	f := r.Load
	if f.Knee == nil || f.Knee.Rate != 62 || f.Knee.AtLeast || f.Knee.Good != 62 || *f.SLO != 100 || f.Misses["unfinished"] != 12 || f.Misses["lost | found"] != 12 {
		t.Errorf("%+v", f)
	}
	text := rendered(t, r)
	for _, want := range []string{
		"## Load and Goodput\n\n**Pairs in a request:** 1;", "**bound of latency:** 100 ms for 95 % of the requests",
		"**Knee:** 62.0 pairs/s, 62 % of the capacity, confirmed by 3 seeds; goodput 62.0 pairs/s",
		"_At 120.0 pairs/s, seed 1, 17 requests found all callers busy", `**Missed:** 12 with "lost | found"`, "| P95 is above the bound |", `see "Load and Goodput" below`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	var asCSV bytes.Buffer
	if err := f.WriteCSV(&asCSV); err != nil {
		t.Fatal(err)
	}
	if rows, err := csv.NewReader(&asCSV).ReadAll(); err != nil || len(rows) != 1+len(rec.Load.Points) || rows[1][0] != "ramp" || rows[3][19] != "true" {
		t.Errorf("%v: %q", err, rows)
	}
}

// What stands where there is no knee says why.
func TestNoKneeVerdicts(t *testing.T) {
	for want, points := range map[string][]recording.LoadPoint{
		"not found: the time was over": recordingtest.Loaded().Load.Points[:2],
		"not confirmed":                recordingtest.Loaded().Load.Points[:7],
		"none: even 30 %":              recordingtest.Loaded().Load.Points[3:4],
	} {
		rec := recordingtest.Loaded()
		rec.Load.Points = points
		if text := rendered(t, Derive(rec)); !strings.Contains(text, "**Knee:** "+want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	few := recordingtest.Loaded()
	few.Load.Points = few.Load.Points[2:3]
	few.Load.Points[0].Answered = few.Load.Points[0].Answered[:60]
	if text := rendered(t, Derive(few)); !strings.Contains(text, "too few requests to bound their P95; a longer --time-bound brings more") {
		t.Errorf("%s", text)
	}
	few.Load.SLO = time.Millisecond // above which even these few are
	if text := rendered(t, Derive(few)); !strings.Contains(text, "**Knee:** none: even 30 % of the capacity does not hold") {
		t.Errorf("%s", text)
	}
	few.Load.Points[0].Answered, few.Load.Points[0].Missed = nil, nil
	if text := rendered(t, Derive(few)); !strings.Contains(text, "**Knee:** not found: no request was due in the time there was; a longer --time-bound brings some") {
		t.Errorf("%s", text)
	}
}

// No accuracy, no speed.
func TestLoadWithheld(t *testing.T) {
	rec := recordingtest.Loaded()
	rec.Accuracy = nil
	r := Derive(rec)
	if r.Load.Points != nil || r.Load.Capacity != nil || r.Load.Knee != nil || r.Load.Batch != 1 {
		t.Errorf("%+v", r.Load)
	}
	text := rendered(t, r)
	if text = text[strings.Index(text, "## "+LoadTitle):strings.Index(text, "## Overall Summary")]; strings.Contains(text, "62.0") || strings.Contains(text, "100.0") {
		t.Errorf("%s", text)
	}
}

func TestLoadIsValidated(t *testing.T) {
	for want, spoil := range map[string]func(*recording.Load){
		"load: batch 0":  func(l *recording.Load) { l.Batch = 0 },
		"purpose":        func(l *recording.Load) { l.Points[0].Purpose = "fun" },
		"rate 0":         func(l *recording.Load) { l.Points[0].Rate = 0 },
		"length 0s":      func(l *recording.Load) { l.Points[0].Length = 0 },
		"answered[0]":    func(l *recording.Load) { l.Points[0].Answered[0].Latency = 0 },
		"missed[0]: due": func(l *recording.Load) { l.Points[1].Missed[0].Due = -1 },
	} {
		rec := recordingtest.Loaded()
		spoil(rec.Load)
		if err := rec.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	for _, v := range []any{recordingtest.Loads(), Derive(recordingtest.Loads())} {
		if text, err := json.Marshal(v); err != nil || strings.Contains(string(text), `"load":`) {
			t.Errorf("%v: %T has a field for what was not measured", err, v)
		}
	}
}

// load.csv is held to the recording as the others are.
func TestVerifyLoad(t *testing.T) {
	dir := t.TempDir()
	if err := writeAll(dir, recordingtest.Loaded()); err != nil {
		t.Fatal(err)
	}
	right, err := VerifyFolder(dir)
	if err != nil || !slices.Contains(right, LoadCSVFile) {
		t.Fatalf("%v: %q", err, right)
	}
	path := filepath.Join(dir, LoadCSVFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(data, []byte("ramp,120,"), []byte("ramp,121,"), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	var m *Mismatch
	if _, err := VerifyFolder(dir); !errors.As(err, &m) || m.File != LoadCSVFile || m.Have != "121" || m.Want != "120" {
		t.Errorf("error %v", err)
	}
}
