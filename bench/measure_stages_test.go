package bench

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// The stages of a call that overlaps tokenization with inference make up its latency,
// and the open loop's wait for a caller is queue.
func TestStagesAreTheLatency(t *testing.T) {
	const ms = time.Millisecond
	for _, open := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(func(pairs []engine.Pair) time.Duration { return 500*ms + time.Duration(first(pairs))*ms })
			f.stages = engine.CallStats{Queue: 20 * ms, Tokenize: 9 * ms, Overlapped: 7 * ms}
			l := loop{engine: f, work: numbered(80), batch: 4, callers: 1, pairs: 80}
			run := l.run
			if open {
				run = func(ctx context.Context) ([]recording.BatchSample, error) {
					return l.asTheyArrive(ctx, &recording.Run{Rate: 16, Open: &recording.Open{Seed: 1}}, time.Time{})
				}
			}
			samples, err := run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			late := time.Duration(0)
			for i, s := range samples {
				if sum := s.Queue + s.Tokenize - s.Overlapped + s.Infer; sum != s.Latency || s.Overlapped != 7*ms || s.Queue != s.Late+20*ms {
					t.Errorf("sample %d: %+v: the stages are %v", i, s, sum)
				}
				late += s.Late
			}
			if (late > 0) != open {
				t.Errorf("open %v: late by %v in all", open, late)
			}
			rec := recordingtest.SeedLike()
			rec.Runs = []recording.Run{{Batch: 4, Concurrency: 1, Loop: "closed", Elapsed: elapsed(samples), Batches: samples}}
			text := rendered(t, report.Derive(rec))
			for _, want := range []string{
				"| Of Tokenization, Beside Inference | 7.000 | 7.000 | 7.000 | 0.000 |",
				"| Unaccounted | 0.000 | 0.000 | 0.000 | 0.000 |",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("the report lacks %s:\n%s", want, text)
				}
			}
		})
	}
}

// What the samples say of the stages is what the engine counted, to the nanosecond,
// and no stage is told that does not lie within its call.
func TestStagesOfTheEngine(t *testing.T) {
	files, err := synth.FS(1, synth.Shape{Layers: 2, Hidden: 32, Heads: 4, Intermediate: 64, Vocab: 3000})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.OpenFS(files, engine.Device("cpu"), engine.Precision("f32"), engine.Workers(2), engine.TokenBudget(256), engine.NoCalibrationFile())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	work, err := builtIn(240)
	if err != nil {
		t.Fatal(err)
	}
	if err := work.measureLengths(pairEngine{e}); err != nil {
		t.Fatal(err)
	}
	for _, l := range []loop{
		{batch: 1, callers: 3, pairs: 30},
		{batch: 120, callers: 1, pairs: 240}, // of many passes
		{batch: 60, callers: 2, pairs: 240},
	} {
		l.engine, l.work = pairEngine{e}, work
		before := e.Stats().Total
		samples, err := l.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, after := engine.CallStats{}, e.Stats().Total
		for _, s := range samples {
			got.Tokenize += s.Tokenize
			got.Overlapped += s.Overlapped
			got.Queue += s.Queue - s.Late
			got.Infer += s.Infer
			if sum := s.Queue + s.Tokenize - s.Overlapped + s.Infer; sum > s.Latency || s.Overlapped > s.Tokenize || s.Late != 0 || s.Handling == nil || s.Residual() < 0 || s.Handling.Pack > s.Infer {
				t.Errorf("batch %d: %+v: the stages are %v", l.batch, s, sum)
			}
		}
		if l.batch > 1 { // of one pair of a tiny model, a call is much
			checkResidual(t, samples)
		}
		want := engine.CallStats{Tokenize: after.Tokenize - before.Tokenize, Overlapped: after.Overlapped - before.Overlapped,
			Queue: after.Queue - before.Queue, Infer: after.Infer - before.Infer}
		if got != want {
			t.Errorf("batch %d: the samples sum up to %+v, the engine to %+v", l.batch, got, want)
		}
	}
}

// checkResidual checks that the stages of a batch leave out less than 3 % of it. Of the
// median: a busy machine may stop a caller anywhere, and for any time.
func checkResidual(t *testing.T, samples []recording.BatchSample) {
	t.Helper()
	var rest []float64
	for i := range samples {
		rest = append(rest, float64(samples[i].Residual())/float64(samples[i].Latency))
	}
	slices.Sort(rest)
	if median := rest[len(rest)/2]; median >= 0.03 {
		t.Errorf("%.2f %% of a batch are in no stage", 100*median)
	}
}
