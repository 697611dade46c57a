package engine_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// openKind is open for what is no cross-encoder. A program opens a real one:
//
//	eng, err := engine.Open("sentence-transformers/all-MiniLM-L6-v2", engine.Embedder())
func openKind(kind synth.Kind, opt engine.Option) *engine.Engine {
	shape := enginetest.Shape
	shape.Labels = 0
	fsys, err := synth.Checkpoint{Seed: 1, Shape: shape, Kind: kind}.FS()
	if err != nil {
		panic(err)
	}
	eng, err := engine.OpenFS(fsys, opt, engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
	if err != nil {
		panic(err)
	}
	return eng
}

// Embeddings are compared by the model's own similarity, and can be stored in fewer bytes.
func ExampleEngine_Embed() {
	eng := openKind(synth.Embedder, engine.Embedder())
	defer eng.Close()
	rows, err := eng.Embed(context.Background(), nil, berlin, engine.AsDocument())
	if err != nil {
		fmt.Println(err)
		return
	}
	query, err := eng.Embed(context.Background(), nil, []string{"How many people live in Berlin?"}, engine.AsQuery())
	if err != nil {
		fmt.Println(err)
		return
	}
	info := eng.Info()
	for i := range berlin {
		row := rows[i*info.Dimensions:][:info.Dimensions]
		fmt.Printf("%s %.2f, %d bytes as bits\n", info.Similarity, info.Similarity.Of(query, row), len(vectors.Ubinary.Append(nil, row, nil)))
	}
	// Output:
	// cosine 0.88, 4 bytes as bits
	// cosine 0.90, 4 bytes as bits
	// cosine 0.98, 4 bytes as bits
}

// A stream takes texts from anywhere, and holds no more of them than it needs.
func ExampleEngine_EmbedStream() {
	eng := openKind(synth.Embedder, engine.Embedder())
	defer eng.Close()
	for row, err := range eng.EmbedStream(context.Background(), slices.Values(berlin)) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(len(row), "values")
	}
	// Output:
	// 32 values
	// 32 values
	// 32 values
}

func ExampleEngine_ClassifyPairs() {
	eng := openKind(synth.Labels, engine.Classifier())
	defer eng.Close()
	premise := engine.Pair{Query: "Berlin has 3.5 million inhabitants.", Passage: "People live in Berlin."}
	probabilities, err := eng.ClassifyPairs(context.Background(), nil, []engine.Pair{premise})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, label := range eng.Info().Labels {
		fmt.Printf("%s: %.2f\n", label, probabilities[i])
	}
	// Output:
	// contradiction: 0.00
	// entailment: 0.98
	// neutral: 0.02
}
