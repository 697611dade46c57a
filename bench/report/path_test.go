package report

import (
	"bytes"
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

// followed is an open loop whose batches tell how they were handled, a millisecond of each
// in no stage.
func followed() *recording.Recording {
	const ms, us = time.Millisecond, time.Microsecond
	rec := recordingtest.Loads()
	run := &rec.Runs[2]
	for i := range run.Batches {
		b := &run.Batches[i]
		b.Late, b.Queue, b.Tokenize, b.Overlapped = time.Duration(i%4)*ms, time.Duration(2+i%4)*ms, 3*ms, ms
		b.Infer = time.Duration(20+i%7) * ms
		b.Handling = &recording.Handling{Admit: 10 * us, Pack: 2 * ms, Deliver: 90 * us}
		b.Latency = b.Queue + b.Tokenize - b.Overlapped + b.Infer + 100*us + ms
	}
	return rec
}

// Each batch's stages and what is left over are its latency, lateness apart from the wait.
func TestPath(t *testing.T) {
	rec := followed()
	if err := rec.Validate(); err != nil {
		t.Fatal(err)
	}
	for i, b := range rec.Runs[2].Batches {
		if b.Residual() != time.Millisecond {
			t.Errorf("batch %d: residual %v", i, b.Residual())
		}
	}
	f := Derive(rec).Configs[2]
	sum, share := 0.0, 0.0
	for _, s := range f.Path.Stages {
		sum += s.MS.Mean
		share += s.Share
	}
	if math.Abs(sum-f.Latency.Mean) > 1e-9 || math.Abs(share-100) > 1e-9 || f.Path.Residual <= 3 || f.Path.WorstResidual < f.Path.Residual {
		t.Errorf("%v of %v ms, %v %%: %+v", sum, f.Latency.Mean, share, f.Path)
	}
	if f.Queue.Max != 2 || f.Queue.Min != 2 || f.Late.Max != 3 || f.Late.Min != 0 {
		t.Errorf("lateness %+v is in the wait %+v", f.Late, f.Queue)
	}
	text := rendered(t, Derive(rec))
	for _, want := range []string{
		"| Client Lateness | 1.500 | 0.000 | 3.000 |", "| Queue Wait | 2.000 | 2.000 | 2.000 | 0.000 |",
		"#### Where the Time of a Batch Goes (ms)\n| Stage | Average | P50 | P95 | Max | Share of Latency (%) |",
		"| Packing | 2.000 |", "| Left Over | 1.000 | 1.000 |", "more than 3 %: the stages explain too little",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}

// What a report tells beyond the older ones' columns stands behind them in the CSV.
func TestExtraColumns(t *testing.T) {
	var with, without bytes.Buffer
	if err := Derive(revised(followed())).WriteCSV(&with); err != nil {
		t.Fatal(err)
	}
	if err := Derive(recordingtest.Loads()).WriteCSV(&without); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&with).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	old, err := csv.NewReader(&without).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	n := len(old[0])
	want := []string{"late_p99_ms", "path_client_lateness_mean_ms", "path_admission_mean_ms", "path_queue_wait_mean_ms", "path_tokenization_mean_ms", "path_packing_mean_ms",
		"path_forward_mean_ms", "path_copy_out_mean_ms", "path_left_over_mean_ms", "steady_from_seconds", "steady_to_seconds", "steady_pairs_per_second", "steady_drift"}
	if !slices.Equal(rows[0][:n], old[0]) || !slices.Equal(rows[0][n:], want) {
		t.Fatalf("columns %q, want %q behind the others", rows[0][n:], want)
	}
	if got := rows[3][n:]; got[0] != "3" || got[1] != "1.5" || got[5] != "2" || got[8] != "1" || rows[1][n] != "n/a" || rows[1][n+12] != "n/a" {
		t.Errorf("%q and %q", rows[1][n:], got)
	}
}

// What makes a run doubtful is among the page's warnings.
func TestPageWarns(t *testing.T) {
	rec := revised(followed())
	rec.Runs[2].Open, rec.CutShort = &recording.Open{Seed: 1, Waited: 7}, true
	var b bytes.Buffer
	if err := Derive(rec).WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Cut short", "7 batches of row 3 were sent late"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestHandlingIsValidated(t *testing.T) {
	for want, spoil := range map[string]func(*recording.Handling){
		"handling": func(h *recording.Handling) { h.Admit = -1 },
		"pack_ns":  func(h *recording.Handling) { h.Pack = time.Hour },
	} {
		rec := followed()
		spoil(rec.Runs[2].Batches[3].Handling)
		if err := rec.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

// Of 58 batches P95 has no upper bound, of 59 it has one.
func TestLeastForABound(t *testing.T) {
	for n, bounded := range map[int]bool{58: false, 59: true} {
		rec := recordingtest.SeedLike()
		rec.Runs[0].Batches = rec.Runs[0].Batches[:n]
		f := Derive(rec).Configs[0]
		if b := f.Bounds[2]; b.Percentile != 95 || b.N != n || (b.Upper != nil) != bounded || bounded && *b.Upper != f.Latency.Max {
			t.Errorf("%+v", b)
		}
	}
}

// All pairs over all time is TP Avg.
func TestAverageIsAllPairsOverAllTime(t *testing.T) {
	for _, rec := range []*recording.Recording{recordingtest.SeedLike(), recordingtest.Loads()} {
		for i, f := range Derive(rec).Configs {
			pairs := 0
			for _, b := range rec.Runs[i].Batches {
				pairs += b.Pairs
			}
			if want := float64(pairs) / rec.Runs[i].Elapsed.Seconds(); f.Throughput.Average != want {
				t.Errorf("%v: %v pairs/s, want %v", f.Config, f.Throughput.Average, want)
			}
		}
	}
}

// A report that was not made here may have a path of anything.
func TestPathOfAnything(t *testing.T) {
	r := Derive(recordingtest.Loads())
	r.Configs[0].Path = &Path{Stages: []PathStage{{Name: "Forward"}, {Name: "something else"}}}
	var b bytes.Buffer
	for _, write := range []func(io.Writer) error{r.WriteMarkdown, r.WriteCSV, r.WriteHTML} {
		if err := write(&b); err != nil {
			t.Error(err)
		}
	}
}
