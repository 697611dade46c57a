package serve_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/minilm-metal/minilm-metal/engine"
)

// one is the first of the documents alone.
func one(a *asked) []string { return a.Documents[:1] }

// rows wants the engine's embeddings.
func rows(of texts, opts ...engine.CallOption) func(*stage, told) error {
	return func(s *stage, a told) error {
		want, err := s.embedder.Embed(s.ctx, nil, of(&s.ask), opts...)
		if err != nil {
			return err
		}
		var got []float32
		for _, row := range a.Rows {
			for _, x := range row {
				got = append(got, float32(x))
			}
		}
		if a.Error != "" || len(a.Rows) != len(of(&s.ask)) || !slices.Equal(got, want) {
			return fmt.Errorf("other embeddings than %v", want)
		}
		return nil
	}
}

// similarities wants the cosines of the query with each document.
func similarities(s *stage, a told) error {
	all, err := s.embedder.Embed(s.ctx, nil, append([]string{s.ask.Query}, s.ask.Documents...))
	if err != nil {
		return err
	}
	const n = 32 // values of a row, which has length 1
	if a.Error != "" || len(a.Similarities) != len(s.ask.Documents) {
		return errors.New("other numbers of similarities than of documents")
	}
	for i := range s.ask.Documents {
		want := 0.0
		for k, x := range all[:n] {
			want += float64(x) * float64(all[(i+1)*n+k])
		}
		if math.Abs(a.Similarities[i]-want) > 1e-6 {
			return fmt.Errorf("document %d: %v, want %v", i, a.Similarities[i], want)
		}
	}
	return nil
}

// labels wants the labels of each text, the most probable first, and so many of them.
func labels(of texts, pairs bool, n int) func(*stage, told) error {
	return func(s *stage, a told) error {
		var values []float32
		var err error
		if asked := of(&s.ask); pairs {
			values, err = s.classifier.ClassifyPairs(s.ctx, nil, []engine.Pair{{Query: asked[0], Passage: asked[1]}})
		} else {
			values, err = s.classifier.Classify(s.ctx, nil, asked)
		}
		if err != nil {
			return err
		}
		names := s.classifier.Info().Labels
		var want [][]label
		for row := range slices.Chunk(values, len(names)) {
			var of []label
			for _, i := range ranked(row, n) {
				of = append(of, label{names[i], row[i]})
			}
			want = append(want, of)
		}
		if a.Error != "" || !reflect.DeepEqual(a.Labels, want) {
			return fmt.Errorf("the labels are %v, want %v", a.Labels, want)
		}
		return nil
	}
}

// tokens wants the tokens of the documents.
func tokens(s *stage, a told) error {
	if a.Error != "" || len(a.Tokens) != len(s.ask.Documents) {
		return fmt.Errorf("tokens of %d texts, want %d", len(a.Tokens), len(s.ask.Documents))
	}
	for i, text := range s.ask.Documents {
		want, err := s.ranker.Tokenizer().EncodeText(text)
		if err != nil {
			return err
		}
		if !slices.Equal(a.Tokens[i], want.IDs) {
			return fmt.Errorf("text %d has the tokens %v, want %v", i, a.Tokens[i], want.IDs)
		}
	}
	return nil
}
