package recording_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

// A recording that makes no sense is kept all the same, and not read.
func TestWriteKeepsTheRecording(t *testing.T) {
	rec := recordingtest.SeedLike()
	rec.Runs[0].Batches[17].Latency = 0
	dir := t.TempDir()
	if err := recording.Write(dir, rec); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, recording.File)
	_, err := recording.Read(path)
	want := path + `: bench: bad recording: runs[0] (batch 32, concurrency 1): batches[17]: field "latency_ns": 0s, want above 0`
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func TestValidate(t *testing.T) {
	for name, spoil := range map[string]func(*recording.Recording){
		"schema":     func(r *recording.Recording) { r.Schema = 99 },
		"want at":    func(r *recording.Recording) { r.Runs[0].Concurrency = 0 },
		"loop":       func(r *recording.Recording) { r.Runs[0].Loop = "ajar" },
		"elapsed_ns": func(r *recording.Recording) { r.Runs[0].Elapsed = 0 },
		"start_ns":   func(r *recording.Recording) { r.Runs[0].Batches[3].Start = -1 },
		"stages":     func(r *recording.Recording) { r.Runs[0].Batches[3].Queue = -1 },
		"overlapped": func(r *recording.Recording) { r.Runs[0].Batches[3].Overlapped = time.Hour },
		"late_ns":    func(r *recording.Recording) { r.Runs[0].Batches[3].Late = 1 },
		"pairs":      func(r *recording.Recording) { r.Runs[0].Batches[3].Pairs = 33 },
		"tokens":     func(r *recording.Recording) { r.Runs[0].Batches[3].Tokens = 0 },
		"padded":     func(r *recording.Recording) { r.Runs[0].Batches[3].Padded = 1 },
		"computed":   func(r *recording.Recording) { r.Runs[0].Batches[3].Computed = 1 },
		"flops":      func(r *recording.Recording) { r.Runs[0].Batches[3].FLOPs = -1 },
	} {
		rec := recordingtest.SeedLike()
		spoil(rec)
		if err := rec.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for _, rec := range []*recording.Recording{recordingtest.SeedLike(), recordingtest.Loads(), recordingtest.Failed()} {
		if err := rec.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestScenariosInRecordings(t *testing.T) {
	for want, spoil := range map[string]func(m *recording.Mix, o *recording.Overload){
		"mix: 0 bulk callers":                    func(m *recording.Mix, _ *recording.Overload) { m.BulkCallers = 0 },
		"rate 0":                                 func(m *recording.Mix, _ *recording.Overload) { m.Rate = 0 },
		`mix: phases[1]: field "load": "flood"`:  func(m *recording.Mix, _ *recording.Overload) { m.Phases[1].Load = recording.LoadFlood },
		`phases[2]: field "length_ns"`:           func(m *recording.Mix, _ *recording.Overload) { m.Phases[2].Length = 0 },
		"round 3000000000, of":                   func(m *recording.Mix, _ *recording.Overload) { m.Phases[0].Round = 3e9 },
		"round -1":                               func(m *recording.Mix, _ *recording.Overload) { m.Phases[0].Round = -1 },
		"-3 pairs":                               func(m *recording.Mix, _ *recording.Overload) { m.Phases[2].BulkPairs = -3 },
		`phases[0]: small[7]: field "pairs": 2`:  func(m *recording.Mix, _ *recording.Overload) { m.Phases[0].Small[7].Pairs = 2 },
		"overload: batch 0":                      func(_ *recording.Mix, o *recording.Overload) { o.Batch = 0 },
		"queue 0":                                func(_ *recording.Mix, o *recording.Overload) { o.MaxQueue = 0 },
		`overload: phases[1]: field "load"`:      func(_ *recording.Mix, o *recording.Overload) { o.Phases[1].Load = "ebb" },
		`overload: phases[0]: field "length_ns"`: func(_ *recording.Mix, o *recording.Overload) { o.Phases[0].Length = 0 },
		"-2 not sent":                            func(_ *recording.Mix, o *recording.Overload) { o.Phases[1].Unsent = -2 },
		`field "offered": 971, but 970 calls`:    func(_ *recording.Mix, o *recording.Overload) { o.Phases[1].Offered++ },
		"refused_ns[3]: -1ns":                    func(_ *recording.Mix, o *recording.Overload) { o.Phases[1].Refused[3] = -1 },
		`failed "engine: closed": 0 times`:       func(_ *recording.Mix, o *recording.Overload) { o.Phases[1].Failed["engine: closed"] = 0 },
		`accepted[4]: field "late_ns"`:           func(_ *recording.Mix, o *recording.Overload) { o.Phases[1].Accepted[4].Late = time.Hour },
	} {
		rec := recordingtest.Mixed()
		rec.Overload = recordingtest.Flooded().Overload
		if err := rec.Validate(); err != nil {
			t.Fatal(err)
		}
		spoil(rec.Mix, rec.Overload)
		if err := rec.Validate(); !errors.Is(err, recording.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

func TestStagesInRecordings(t *testing.T) {
	for want, spoil := range map[string]func(s *recording.Stages){
		"0 batches":           func(s *recording.Stages) { s.Batches = 0 },
		"1 pairs":             func(s *recording.Stages) { s.Pairs = 1 },
		"15 tokens":           func(s *recording.Stages) { s.Tokens = 15 },
		"inference -1ns, 90":  func(s *recording.Stages) { s.Fused = -1 },
		"inference 100ms, -1": func(s *recording.Stages) { s.Timed = -1 },
		"kernels[2]":          func(s *recording.Stages) { s.Kernels[2].Calls = -1 },
	} {
		rec := recordingtest.StagesOn()
		if err := rec.Validate(); err != nil {
			t.Fatal(err)
		}
		spoil(rec.Runs[1].Stages)
		err := rec.Validate()
		if !errors.Is(err, recording.ErrInvalid) || !strings.Contains(err.Error(), "runs[1] (batch 8, concurrency 4): stages: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

// kernels is a recording with kernel times.
func kernels() *recording.Recording {
	rec := recordingtest.Loads()
	for i := range rec.Runs {
		rec.Runs[i].Kernels = recordingtest.SeedLike().Runs[0].Stages.Kernels
	}
	return rec
}

func TestKernelsInRecordings(t *testing.T) {
	var text bytes.Buffer
	if err := file.WriteJSON(&text, kernels()); err != nil {
		t.Fatal(err)
	}
	rec, err := recording.Decode(text.Bytes())
	if err != nil || !slices.Equal(rec.Runs[1].Kernels, kernels().Runs[1].Kernels) {
		t.Errorf("%v", err)
	}
	for _, bad := range []func(k *recording.Kernel){
		func(k *recording.Kernel) { k.Layer = -2 },
		func(k *recording.Kernel) { k.Kernel = "" },
		func(k *recording.Kernel) { k.Time = -1 },
		func(k *recording.Kernel) { k.Calls = -1 },
		func(k *recording.Kernel) { k.FLOPs = -1 },
		func(k *recording.Kernel) { k.Bytes = -1 },
	} {
		rec := kernels()
		bad(&rec.Runs[1].Kernels[3])
		if err := rec.Validate(); !errors.Is(err, recording.ErrInvalid) || !strings.Contains(err.Error(), "kernels[3]") {
			t.Errorf("error %v", err)
		}
	}
}

func TestJudgedInRecordings(t *testing.T) {
	for want, spoil := range map[string]func(j *recording.Judged){
		"queries[1]: 0 logits":                   func(j *recording.Judged) { j.Queries[1].Logits = nil },
		"queries[0]: 4 logits and 3 grades":      func(j *recording.Judged) { j.Queries[0].Grades = j.Queries[0].Grades[:3] },
		`scores[0]: precision ""`:                func(j *recording.Judged) { j.Scores[0].Precision = "" },
		"4 of 3 queries":                         func(j *recording.Judged) { j.Scores[0].Scores = append(j.Scores[0].Scores, nil) },
		"scores[1]: 1 scores of query 1, want 2": func(j *recording.Judged) { j.Scores[1].Scores[1] = []float64{1} },
	} {
		rec := recordingtest.Judged()
		if err := rec.Validate(); err != nil {
			t.Fatal(err)
		}
		spoil(rec.Judged)
		if err := rec.Validate(); !errors.Is(err, recording.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestAblationInRecordings(t *testing.T) {
	for want, spoil := range map[string]func(a *recording.Ablation){
		"batch 0":                      func(a *recording.Ablation) { a.Batch = 0 },
		"5999 padded":                  func(a *recording.Ablation) { a.Padded = 5999 },
		"0 variants":                   func(a *recording.Ablation) { a.Variants = nil },
		`variants[1]: field "off"`:     func(a *recording.Ablation) { a.Variants[1].Off[0] = "luck" },
		"rounds[1]: 5 runs of 6":       func(a *recording.Ablation) { a.Rounds[1] = a.Rounds[1][:5] },
		"rounds[0]: variant 6":         func(a *recording.Ablation) { a.Rounds[0][2].Variant = 6 },
		"rounds[0]: variant 1":         func(a *recording.Ablation) { a.Rounds[0][0].Variant = 1 },
		"in 0s":                        func(a *recording.Ablation) { a.Rounds[0][0].Time = 0 },
		"kernels[0]: 7 and 8 samples":  func(a *recording.Ablation) { a.Kernels[0].With = a.Kernels[0].With[:7] },
		"kernels[0]: 8 and 8 samples,": func(a *recording.Ablation) { a.Kernels[0].Whole = a.Kernels[0].Part - 1 },
	} {
		rec := recordingtest.Ablated(6)
		if err := rec.Validate(); err != nil {
			t.Fatal(err)
		}
		spoil(rec.Ablation)
		if err := rec.Validate(); !errors.Is(err, recording.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
