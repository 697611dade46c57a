package report

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// What numpy says of a recording's batches is what the report says: see testdata/figures.py.
func TestFiguresAreNumpys(t *testing.T) {
	var numpy struct {
		Batches     []recording.BatchSample
		Elapsed     time.Duration  `json:"elapsed_ns"`
		Latency     *stats.Summary `json:"latency_ms"`
		PerBatch    *stats.Summary `json:"per_batch"`
		Tokenize    *stats.Summary `json:"tokenize_ms"`
		Queue       *stats.Summary `json:"queue_ms"`
		Infer       *stats.Summary `json:"infer_ms"`
		Unaccounted *stats.Summary `json:"unaccounted_ms"`
		Average     float64
		Correlation float64
		Ranges      []struct {
			Count          int
			Mean, Min, Max float64
		}
	}
	data, err := os.ReadFile(filepath.Join("testdata", "figures.json"))
	if err == nil {
		err = json.Unmarshal(data, &numpy)
	}
	if err != nil || len(numpy.Batches) < 299 || len(numpy.Ranges) != 4 {
		t.Fatalf("%d batches: %v", len(numpy.Batches), err)
	}
	rec := recordingtest.SeedLike()
	rec.Runs = rec.Runs[:1]
	rec.Runs[0].Batches, rec.Runs[0].Elapsed, rec.Runs[0].Stages = numpy.Batches, numpy.Elapsed, nil
	if err := rec.Validate(); err != nil {
		t.Fatal(err)
	}
	f := Derive(rec).Configs[0]
	summed := func(what string, have, want float64) {
		t.Helper()
		if math.Abs(have-want) > 1e-12*math.Abs(want) {
			t.Errorf("%s: %v, numpy says %v", what, have, want)
		}
	}
	for what, c := range map[string][2]*stats.Summary{
		"latency": {f.Latency, numpy.Latency}, "throughput": {&f.Throughput.PerBatch, numpy.PerBatch}, "tokenize": {f.Tokenize, numpy.Tokenize},
		"queue": {f.Queue, numpy.Queue}, "infer": {f.Infer, numpy.Infer}, "unaccounted": {f.Unaccounted, numpy.Unaccounted},
	} {
		have, want := *c[0], *c[1]
		summed(what+", mean", have.Mean, want.Mean)
		summed(what+", deviation", *have.SD, *want.SD)
		have.Mean, have.SD, want.Mean, want.SD = 0, nil, 0, nil
		if have != want {
			t.Errorf("%s: %+v\nnumpy says %+v", what, have, want)
		}
	}
	summed("average throughput", f.Throughput.Average, numpy.Average)
	summed("correlation", *f.Correlation, numpy.Correlation)
	for i, want := range numpy.Ranges {
		r := f.Ranges[i]
		summed(r.Name+", mean", *r.Mean, want.Mean)
		if r.Count != want.Count || *r.Min != want.Min || *r.Max != want.Max {
			t.Errorf("%s: %d from %v to %v, numpy says %+v", r.Name, r.Count, *r.Min, *r.Max, want)
		}
	}
}
