package engine_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// Two tokens are enough for a text, of which nothing is left then, and three for a pair.
func TestShortestLength(t *testing.T) {
	_, _, labels := labelCases(t)
	for name, opts := range map[string][]engine.Option{"f32": {engine.Precision("f32")}, "auto": {engine.JudgeAll()}} {
		e, err := engine.OpenFS(embedder(t, nil, nil), append(opts, engine.Embedder(), engine.Device("cpu"), engine.MaxLength(2), engine.NoCalibrationFile())...)
		if err != nil {
			t.Fatal(name, err)
		}
		defer e.Close()
		got, err := e.Embed(t.Context(), nil, []string{"who", "", "how many people"})
		if err != nil || !slices.Equal(got[:32], got[32:64]) || !slices.Equal(got[:32], got[64:]) {
			t.Errorf("%s: %g, %v, want three embeddings that are the same", name, got, err)
		}
		c, err := engine.OpenFS(classifier(t, labels[0].Config, labels[0].N), append(opts, engine.Classifier(), engine.Device("cpu"), engine.MaxLength(2), engine.NoCalibrationFile())...)
		if err != nil {
			t.Fatal(name, err)
		}
		defer c.Close()
		n := labels[0].N
		got, err = c.Classify(t.Context(), nil, []string{"who", ""})
		if err != nil || len(got) != 2*n || !slices.Equal(got[:n], got[n:]) {
			t.Errorf("%s: %g, %v, want the same labels twice", name, got, err)
		}
		got, err = c.ClassifyPairs(t.Context(), nil, []engine.Pair{{}})
		if one, ok := errors.AsType[*engine.PairError](err); !ok || !errors.Is(one, engine.ErrTooLong) || !strings.Contains(err.Error(), "a pair has at least 3 tokens") || got[0] == got[0] {
			t.Errorf("%s: a pair of two tokens: %g, %v", name, got, err)
		}
	}
	short := map[string]json.RawMessage{"tokenizer_config.json": json.RawMessage(`{"tokenizer_class":"BertTokenizer","model_max_length":2}`)}
	_, err := engine.OpenFS(embedder(t, short, nil))
	if inPlainWords(t, err); !errors.Is(err, engine.ErrModel) || !strings.Contains(err.Error(), "tokenizer_config.json: model_max_length: 2 tokens, want at least 3") {
		t.Errorf("for scores: %v", err)
	}
	for _, least := range []struct {
		of   engine.Option
		want string
	}{{nil, "want at least 3"}, {engine.Embedder(), "want at least 2"}, {engine.Classifier(), "want at least 2"}} {
		if _, err := engine.OpenFS(embedder(t, nil, nil), least.of, engine.MaxLength(1)); err == nil || !strings.Contains(err.Error(), least.want) {
			t.Errorf("%v, %s", err, least.want)
		}
	}
}
