package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

// Layers are added up, and nothing else is; rates and peak are a worker's.
func TestStageFigures(t *testing.T) {
	rec := recordingtest.StagesOn()
	text := rendered(t, Derive(rec))
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
	text = rendered(t, Derive(rec))
	if !strings.Contains(text, "with it (-10.0 %), of which the GPU computed 40.000 and 43.000 ms._") {
		t.Errorf("on a GPU:\n%s", text)
	}
	if !strings.Contains(text, "| 8x8 | 4.0 | 40.000 | 40.0 | 0.75 | 0.15 | n/a |") || strings.Contains(text, "rates are of one") {
		t.Errorf("on a GPU:\n%s", text)
	}
	rec.Peak = new(3e9)
	if text = rendered(t, Derive(rec)); !strings.Contains(text, "| 8x8 | 4.0 | 40.000 | 40.0 | 0.75 | 0.15 | 25.0 |") {
		t.Errorf("on a GPU with a known peak:\n%s", text)
	}
}

// Layers and blocks are in the order of the forward pass, however a device tells them.
func TestStagesByLayer(t *testing.T) {
	rec := recordingtest.StagesOn()
	kernels := rec.Runs[1].Stages.Kernels
	rec.Runs[1].Stages.Kernels = append(kernels,
		recording.Kernel{Layer: -1, Block: "classify", Kernel: "head", Shape: "8", Calls: 2, Time: 2 * time.Millisecond},
		recording.Kernel{Layer: 10, Block: "attention", Kernel: "gemm of one row", Shape: "8x8", Calls: 2, Time: 4 * time.Millisecond},
		recording.Kernel{Layer: -1, Block: "embed", Kernel: "embed", Shape: "8", Calls: 2, Time: 6 * time.Millisecond},
		recording.Kernel{Layer: 2, Block: "feed-forward", Kernel: "gemm", Shape: "8x8", Calls: 2, Time: 8 * time.Millisecond})
	told := slices.Clone(rec.Runs[1].Stages.Kernels)
	text := rendered(t, Derive(rec))
	want := `#### Stages by Layer
| Part | Attention (ms) | Feed-Forward (ms) | Time a Batch (ms) | Share (%) |
|------|----------------|-------------------|-------------------|-----------|
| embed | n/a | n/a | 3.000 | 2.7 |
| layer 0 | 25.000 | 5.000 | 30.000 | 27.3 |
| layer 1 | 25.000 | 25.000 | 50.000 | 45.5 |
| layer 2 | n/a | 4.000 | 4.000 | 3.6 |
| layer 10 | 2.000 | n/a | 2.000 | 1.8 |
| classify | n/a | n/a | 1.000 | 0.9 |
`
	if !strings.Contains(text, want) {
		t.Errorf("the report lacks\n%s\nit is\n%s", want, text)
	}
	rows := strings.Split(text[strings.Index(text, "#### Stages of Inference"):strings.Index(text, "| (all) |")], "\n| ")[2:]
	var order []string
	for _, row := range rows {
		order = append(order, strings.Join(strings.SplitN(row, " | ", 3)[:2], ": "))
	}
	if got := strings.Join(order, ", "); got != "embed: embed, attention: gemm, attention: gemm, attention: gemm of one row, feed-forward: gemm, feed-forward: add+norm, classify: head" {
		t.Errorf("rows %s", got)
	}
	if !slices.Equal(rec.Runs[1].Stages.Kernels, told) {
		t.Error("the recording was sorted too")
	}
}

// What was not timed, or took no time, has no rate and no share.
func TestStagesOfNothing(t *testing.T) {
	rec := recordingtest.StagesOn()
	*rec.Runs[1].Stages = recording.Stages{Batches: 1, Pairs: 1, Tokens: 1, Kernels: []recording.Kernel{{Layer: -1, Block: "embed", Kernel: "embed", Shape: "8", Calls: 1, FLOPs: 5, Bytes: 5}}}
	if err := rec.Validate(); err != nil {
		t.Fatal(err)
	}
	text := rendered(t, Derive(rec))
	if !strings.Contains(text, "| embed | embed | 8 | 1.0 | 0.000 | n/a | n/a | n/a | n/a |") ||
		!strings.Contains(text, "The stages sum up to 0.000 ms a batch. Inference of the same batches took 0.000 ms each without timing, and 0.000 ms with it.") {
		t.Errorf("%s", text)
	}
	rec = recordingtest.SeedLike()
	rec.Accuracy.Passed = false
	if r := Derive(rec); r.Configs[0].Stages != nil || strings.Contains(rendered(t, r), "Stages of Inference") {
		t.Error("stages of a run whose speed is withheld")
	}
}
