// Package enginetest gives programs that use package engine an engine for
// their own tests: real code, real text, tiny made-up weights.
package enginetest

import (
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// Shape is the model that Open opens, and the encoder of the others: two layers of 32 channels, under one
// per cent of MiniLM's arithmetic.
var Shape = synth.Shape{
	Layers: 2, Hidden: 32, Heads: 2, Intermediate: 64,
	Vocab: 30522, Positions: 512, Types: 2, Labels: 1,
}

// Open returns an engine that is ready in some milliseconds and is closed when the test
// ends; what goes wrong with either fails the test. Its scores mean nothing, but the same
// pair gets the same score every time, on every machine up to float32 rounding. Options are
// as in engine.OpenFS; without any it computes in float32, and touches no file.
//
// Like tb.Fatal it is for the test's own goroutine; the engine is anybody's.
func Open(tb testing.TB, opts ...engine.Option) *engine.Engine {
	tb.Helper()
	return open(tb, synth.Ranker, opts)
}

// OpenEmbedder is Open for an engine that makes embeddings, of 32 values and length 1, by means
// of all tokens.
func OpenEmbedder(tb testing.TB, opts ...engine.Option) *engine.Engine {
	tb.Helper()
	return open(tb, synth.Embedder, append([]engine.Option{engine.Embedder()}, opts...))
}

// OpenClassifier is Open for an engine that gives the probabilities of the labels contradiction,
// entailment and neutral.
func OpenClassifier(tb testing.TB, opts ...engine.Option) *engine.Engine {
	tb.Helper()
	return open(tb, synth.Labels, append([]engine.Option{engine.Classifier()}, opts...))
}

func open(tb testing.TB, kind synth.Kind, opts []engine.Option) *engine.Engine {
	tb.Helper()
	shape := Shape
	if kind != synth.Ranker {
		shape.Labels = 0 // as many as the kind has
	}
	fsys, err := synth.Checkpoint{Seed: 1, Shape: shape, Kind: kind}.FS()
	if err != nil {
		tb.Fatal(err)
	}
	e, err := engine.OpenFS(fsys, append([]engine.Option{engine.Precision("f32"), engine.NoCalibrationFile()}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}
