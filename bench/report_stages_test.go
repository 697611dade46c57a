package bench

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// stagesOn is a CPU of two workers that reach 3 GFLOP/s together, and two batches.
func stagesOn() *Recording {
	const ms = time.Millisecond
	rec := loads()
	rec.Peak = ptr(3e9)
	rec.Runs[1].Stages = &Stages{Batches: 2, Pairs: 16, Tokens: 1280, Fused: 100 * ms, Timed: 90 * ms, Kernels: []Kernel{
		{0, "attention", "gemm", "8x8", 4, 30 * ms, 30e6, 6e6},
		{0, "attention", "gemm", "8x24", 2, 20 * ms, 20e6, 5e6},
		{0, "feed-forward", "gemm", "8x8", 2, 10 * ms, 5e6, 5e6},
		{1, "attention", "gemm", "8x8", 4, 50 * ms, 30e6, 6e6},
		{1, "feed-forward", "add+norm", "8", 2, 50 * ms, 0, 0},
		{-1, "", "wait for helpers", "", 3, 30 * ms, 0, 0},
		{-1, "", "between kernels", "", 2, 10 * ms, 0, 0},
	}}
	return rec
}

// Layers are added up, and nothing else is; rates and peak are a worker's.
func TestStageFigures(t *testing.T) {
	rec := stagesOn()
	text := markdown(t, rec.Report())
	want := `
| attention | gemm | 8x8 | 4.0 | 40.000 | 40.0 | 0.75 | 0.15 | 50.0 |
| attention | gemm | 8x24 | 1.0 | 10.000 | 10.0 | 1.00 | 0.25 | 66.7 |
| feed-forward | gemm | 8x8 | 1.0 | 5.000 | 5.0 | 0.50 | 0.50 | 33.3 |
| feed-forward | add+norm | 8 | 1.0 | 25.000 | 25.0 | n/a | n/a | n/a |
| (all) | sum of kernels |  | 7.0 | 80.000 | 80.0 | 0.53 | 0.14 | 35.4 |
| (none) | wait for helpers |  | 1.5 | 15.000 | 15.0 | n/a | n/a | n/a |
| (none) | between kernels |  | 1.0 | 5.000 | 5.0 | n/a | n/a | n/a |

_Over the layers, in 2 batches (16 pairs, 1280 tokens) that were scored after the measurement by one caller, once as they were and once with each kernel timed._

_Times are summed over 2 workers, and rates are of one._

_The stages sum up to 80.000 ms a batch, and the rest of the time inside passes to 20.000 ms. Inference of the same batches took 50.000 ms each without timing, and 45.000 ms with it (-10.0 %)._
`
	if !strings.Contains(text, want) {
		t.Errorf("the report lacks%s\nit is\n%s", want, text)
	}
	if n := strings.Count(text, "#### Stages of Inference"); n != 1 {
		t.Errorf("%d sections, want that of the one configuration", n)
	}

	rec.Environment.GPU, rec.Peak = "Some GPU", nil // one GPU, however many passes wait for it
	rec.Runs[1].Stages.FusedGPU, rec.Runs[1].Stages.TimedGPU = 80*time.Millisecond, 86*time.Millisecond
	text = markdown(t, rec.Report())
	if !strings.Contains(text, "with it (-10.0 %), of which the GPU computed 40.000 and 43.000 ms._") {
		t.Errorf("on a GPU:\n%s", text)
	}
	if !strings.Contains(text, "| 8x8 | 4.0 | 40.000 | 40.0 | 0.75 | 0.15 | n/a |") || strings.Contains(text, "rates are of one") {
		t.Errorf("on a GPU:\n%s", text)
	}
	rec.Peak = ptr(3e9)
	if text = markdown(t, rec.Report()); !strings.Contains(text, "| 8x8 | 4.0 | 40.000 | 40.0 | 0.75 | 0.15 | 25.0 |") {
		t.Errorf("on a GPU with a known peak:\n%s", text)
	}
}

// What was not timed, or took no time, has no rate and no share.
func TestStagesOfNothing(t *testing.T) {
	rec := stagesOn()
	*rec.Runs[1].Stages = Stages{Batches: 1, Pairs: 1, Tokens: 1, Kernels: []Kernel{{-1, "embed", "embed", "8", 1, 0, 5, 5}}}
	if err := rec.Validate(); err != nil {
		t.Fatal(err)
	}
	text := markdown(t, rec.Report())
	if !strings.Contains(text, "| embed | embed | 8 | 1.0 | 0.000 | n/a | n/a | n/a | n/a |") ||
		!strings.Contains(text, "The stages sum up to 0.000 ms a batch. Inference of the same batches took 0.000 ms each without timing, and 0.000 ms with it.") {
		t.Errorf("%s", text)
	}
	rec = seedLike()
	rec.Accuracy.Passed = false
	if r := rec.Report(); r.Configs[0].Stages != nil || strings.Contains(markdown(t, r), "Stages of Inference") {
		t.Error("stages of a run whose speed is withheld")
	}
}

// The section changes nothing of what is read of a report, and no comparison.
func TestStagesAreNoMetric(t *testing.T) {
	with, without := stagesOn(), stagesOn()
	without.Runs[1].Stages = nil
	if a, b := parsed(t, markdown(t, with.Report())), parsed(t, markdown(t, without.Report())); !reflect.DeepEqual(a, b) {
		t.Errorf("read\n%+v\nand without stages\n%+v", a, b)
	}
	var texts [2]bytes.Buffer
	for i, rec := range []*Recording{with, without} {
		comparison := Compare(rec.Report(), seedLike().Report())
		if err := comparison.WriteText(&texts[i]); err != nil {
			t.Fatal(err)
		}
	}
	if texts[0].String() != texts[1].String() {
		t.Errorf("compared\n%s\nand without stages\n%s", &texts[0], &texts[1])
	}
}

func TestStagesInRecordings(t *testing.T) {
	for want, spoil := range map[string]func(s *Stages){
		"0 batches":           func(s *Stages) { s.Batches = 0 },
		"1 pairs":             func(s *Stages) { s.Pairs = 1 },
		"15 tokens":           func(s *Stages) { s.Tokens = 15 },
		"inference -1ns, 90":  func(s *Stages) { s.Fused = -1 },
		"inference 100ms, -1": func(s *Stages) { s.Timed = -1 },
		"kernels[2]":          func(s *Stages) { s.Kernels[2].Calls = -1 },
	} {
		rec := stagesOn()
		if err := rec.Validate(); err != nil {
			t.Fatal(err)
		}
		spoil(rec.Runs[1].Stages)
		err := rec.Validate()
		if !errors.Is(err, ErrRecording) || !strings.Contains(err.Error(), "runs[1] (batch 8, concurrency 4): stages: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}
