package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// BenchmarkScoreTokens is the path of scores, with weights of MiniLM's shape on all cores: one
// pair, and 32, of 87 tokens each.
func BenchmarkScoreTokens(b *testing.B) {
	shape := synth.Shape{Layers: 6, Hidden: 384, Heads: 12, Intermediate: 1536, Vocab: 30522, Positions: 512, Types: 2, Labels: 1}
	fsys, err := synth.FS(1, shape)
	if err != nil {
		b.Fatal(err)
	}
	for _, format := range kernels.Best().Formats() {
		for _, pairs := range []int{1, 32} {
			b.Run(fmt.Sprintf("%v/pairs=%d", format, pairs), func(b *testing.B) {
				e, err := engine.OpenFS(fsys, engine.Device("cpu"), engine.Precision(format.String()), engine.NoCalibrationFile())
				if err != nil {
					b.Fatal(err)
				}
				defer e.Close()
				r, batch := rand.New(rand.NewPCG(1, 1)), new(model.Batch)
				for range pairs {
					for t := range 87 {
						batch.IDs, batch.Types = append(batch.IDs, int32(r.IntN(shape.Vocab))), append(batch.Types, int32(min(t/12, 1)))
					}
					batch.End()
				}
				scores := make([]float32, 0, pairs)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := e.ScoreTokens(b.Context(), scores, batch); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(pairs*b.N)/b.Elapsed().Seconds(), "pairs/s")
			})
		}
	}
}
