package recordingtest

import (
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// Ablated is a recording of an ablation of three ideas in so many rounds: packing makes a run
// 1.25 times as fast, int8 twice, and threads 1.6 times, and together they make it 4.4 times.
func Ablated(rounds int) *recording.Recording {
	const ms = time.Millisecond
	rec := Loads()
	rec.Name, rec.Runs = "ablated", nil
	a := &recording.Ablation{Batch: 32, Pairs: 64, Tokens: 6000, Padded: 8000, Seed: 1,
		Ideas: []recording.Idea{
			{ID: "packing", Name: "packing without padding", Without: "each pair is as long as its batch's longest"},
			{ID: "precision", Name: "products in int8", Without: "in f32"},
			{ID: "threads", Name: "2 threads", Without: "one thread"},
		},
		Variants: []recording.AblationVariant{
			{Off: []string{}, Precision: "int8", InstructionSet: "avx512vnni", Workers: 2},
			{Off: []string{"packing"}, Precision: "int8", InstructionSet: "avx512vnni", Workers: 2},
			{Off: []string{"precision"}, Precision: "f32", InstructionSet: "avx512vnni", Workers: 2},
			{Off: []string{"threads"}, Precision: "int8", InstructionSet: "avx512vnni", Workers: 1},
			{Off: []string{"packing", "precision", "threads"}, Precision: "f32", InstructionSet: "avx512vnni", Workers: 1},
			{Off: []string{"precision", "threads"}, Precision: "f32", InstructionSet: "avx512vnni", Workers: 1},
		},
	}
	costs := []time.Duration{200, 250, 400, 320, 880, 640}
	for i := range rounds {
		drift := time.Duration(100 + i%3) // of the machine, the same for all of a round
		var round []recording.AblationTime
		for k := range costs {
			k = (k + i) % len(costs)
			round = append(round, recording.AblationTime{Variant: k, Time: costs[k] * drift * ms / 100, CPU: new(2 * costs[k] * ms)})
		}
		a.Rounds = append(a.Rounds, round)
	}
	cls := recording.AblationKernel{Idea: recording.Idea{ID: "cls", Name: "last layer for [CLS] alone", Without: "the last layer computes every row"},
		Unit: "a pass", Part: 900 * ms, Whole: 1000 * ms}
	for i := range 8 {
		cls.With, cls.Without = append(cls.With, float64(1000+i)), append(cls.Without, float64(1200+i))
	}
	a.Kernels = []recording.AblationKernel{cls}
	rec.Ablation = a
	return rec
}
