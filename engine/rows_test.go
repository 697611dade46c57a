package engine_test

import (
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/engine"
)

// rows reads a stream to its end.
func rows(seq iter.Seq2[[]float32, error]) (all [][]float32, errs []error) {
	for row, err := range seq {
		all, errs = append(all, row), append(errs, err)
	}
	return all, errs
}

// Streams of embeddings and labels yield what calls return, in order, of more than a stream
// holds at a time; what they have yielded stays as it was.
func TestStreamsOfRows(t *testing.T) {
	_, _, cases := labelCases(t)
	e, err := engine.OpenFS(classifier(t, cases[1].Config, 3), engine.Classifier(), engine.Device("cpu"), engine.NoCalibrationFile())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	embeds := openEmbedder(t)
	var texts []string
	var pairs []engine.Pair
	for i := range 2500 {
		texts = append(texts, "a "+strconv.Itoa(i))
		pairs = append(pairs, engine.Pair{Query: "the city", Passage: texts[i]})
	}
	ctx, prompt := t.Context(), engine.Prompt("who ")
	for name, c := range map[string]struct {
		call   func() ([]float32, error)
		stream iter.Seq2[[]float32, error]
	}{
		"EmbedStream":         {func() ([]float32, error) { return embeds.Embed(ctx, nil, texts, prompt) }, embeds.EmbedStream(ctx, slices.Values(texts), prompt)},
		"ClassifyStream":      {func() ([]float32, error) { return e.Classify(ctx, nil, texts, prompt) }, e.ClassifyStream(ctx, slices.Values(texts), prompt)},
		"ClassifyPairsStream": {func() ([]float32, error) { return e.ClassifyPairs(ctx, nil, pairs, prompt) }, e.ClassifyPairsStream(ctx, slices.Values(pairs), prompt)},
	} {
		want, err := c.call()
		if err != nil {
			t.Fatal(err)
		}
		got, errs := rows(c.stream)
		if flat := slices.Concat(got...); len(got) != len(texts) || errors.Join(errs...) != nil || !slices.Equal(flat, want) {
			t.Errorf("%s: %d rows, %d values, %v; want %d and the same %d", name, len(got), len(flat), errors.Join(errs...), len(texts), len(want))
		}
		for row := range c.stream { // and again, left early
			if !slices.Equal(row, want[:len(row)]) {
				t.Errorf("%s: %g, want %g", name, row, want[:len(row)])
			}
			break
		}
	}
	for i, stream := range []iter.Seq2[[]float32, error]{e.EmbedStream(ctx, slices.Values(texts)), embeds.ClassifyStream(ctx, slices.Values(texts)),
		embeds.ClassifyPairsStream(ctx, nil), embeds.EmbedStream(ctx, nil), embeds.EmbedStream(ctx, slices.Values(texts), engine.PromptName("none"))} {
		if err := refusedRows(stream); err != nil {
			t.Errorf("case %d: %v", i, err)
		}
	}
}

// A text that is too long leaves those before and after it as they are, also where the stream's
// memory is used again.
func TestStreamOfRowsTooLong(t *testing.T) {
	files := classifier(t, map[string]any{"id2label": map[string]string{"0": "a", "1": "b"}}, 2)
	files["modules.json"] = &fstest.MapFile{Data: []byte(`[{"idx":0,"name":"0","path":"","type":"sentence_transformers.base.modules.transformer.Transformer"}]`)}
	files["config_sentence_transformers.json"] = &fstest.MapFile{Data: []byte(`{"model_type":"CrossEncoder"}`)}
	files["sentence_bert_config.json"] = &fstest.MapFile{Data: []byte(`{"transformer_task":"sequence-classification","processing_kwargs":{"text":{"truncation":false}}}`)}
	e, err := engine.OpenFS(files, engine.Classifier(), engine.Device("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var texts []string
	var pairs []engine.Pair
	for i := range 2000 {
		text := "a"
		if i%7 == 3 {
			text = strings.Repeat("a ", 100)
		}
		texts, pairs = append(texts, text), append(pairs, engine.Pair{Query: "b", Passage: text})
	}
	want, err := e.Classify(t.Context(), nil, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	got, errs := rows(e.ClassifyStream(t.Context(), slices.Values(texts)))
	_, ofPairs := rows(e.ClassifyPairsStream(t.Context(), slices.Values(pairs)))
	if len(got) != len(texts) || len(ofPairs) != len(pairs) {
		t.Fatalf("%d rows and %d, want %d", len(got), len(ofPairs), len(texts))
	}
	for i, row := range got {
		text, isText := errors.AsType[*engine.TextError](errs[i])
		pair, isPair := errors.AsType[*engine.PairError](ofPairs[i])
		switch {
		case i%7 != 3 && (errs[i] != nil || ofPairs[i] != nil || !slices.Equal(row, want)):
			t.Errorf("%d: %g, %v, %v, want %g", i, row, errs[i], ofPairs[i], want)
		case i%7 == 3 && (!isText || text.Index != i || !isPair || pair.Index != i || !errors.Is(errs[i], engine.ErrTooLong) || len(row) != 2 || row[0] == row[0] || row[1] == row[1]):
			t.Errorf("%d: %g, %v, %v, want errors of its own", i, row, errs[i], ofPairs[i])
		}
	}
}
