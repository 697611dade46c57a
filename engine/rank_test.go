package engine_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// Options say what becomes of the results, and change nothing about the scores.
func TestRankOptions(t *testing.T) {
	e := enginetest.Open(t)
	var passages []string
	for _, p := range pairs(12) {
		passages = append(passages, p.Passage)
	}
	passages = append(passages, "") // a passage, too
	all, err := e.Rank(t.Context(), "what is a cell", passages)
	if err != nil {
		t.Fatal(err)
	}
	carrying := slices.Clone(all)
	for i := range carrying {
		carrying[i].Passage = passages[carrying[i].Index]
	}
	for name, test := range map[string]struct {
		opts []engine.RankOption
		want []engine.Result
	}{
		"nil":            {[]engine.RankOption{nil}, all},
		"TopK(0)":        {[]engine.RankOption{engine.TopK(0)}, all},
		"TopK(-1)":       {[]engine.RankOption{engine.TopK(-1)}, all},
		"TopK(13)":       {[]engine.RankOption{engine.TopK(13)}, all},
		"TopK(14)":       {[]engine.RankOption{engine.TopK(14)}, all},
		"TopK(1)":        {[]engine.RankOption{engine.TopK(1)}, all[:1]},
		"the last":       {[]engine.RankOption{engine.TopK(1), nil, engine.TopK(2)}, all[:2]},
		"WithPassages":   {[]engine.RankOption{engine.WithPassages()}, carrying},
		"both":           {[]engine.RankOption{engine.WithPassages(), engine.TopK(3)}, carrying[:3]},
		"the other way":  {[]engine.RankOption{engine.TopK(3), engine.WithPassages()}, carrying[:3]},
		"nothing at all": {nil, all},
	} {
		if got, err := e.Rank(t.Context(), "what is a cell", passages, test.opts...); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, test.want)
		}
	}
}

func TestResultJSON(t *testing.T) {
	got, err := json.Marshal([]engine.Result{{Index: 3, Score: -1.5}, {Score: 2, Passage: "a <b>"}})
	if want := `[{"index":3,"score":-1.5},{"index":0,"score":2,"passage":"a \u003cb\u003e"}]`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

// Info is what a program puts into its log or its own report: every name is there, in one
// style.
func TestInfoJSON(t *testing.T) {
	data, err := json.Marshal(enginetest.Open(t, engine.Device("cpu")).Info())
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config", "parameters", "device", "instruction_set", "precision", "workers", "max_length", "choices"} {
		if fields[name] == nil {
			t.Errorf("no %q in %s", name, data)
		}
	}
	for name := range fields {
		if name != strings.ToLower(name) {
			t.Errorf("%q in %s", name, data)
		}
	}
	if text := `"hidden_size":32,"num_hidden_layers":2`; !strings.Contains(string(data), text) {
		t.Errorf("no %s in %s", text, data)
	}
}

// What is nil sets nothing, and does not stop what stands beside it.
func TestNilOptions(t *testing.T) {
	e := enginetest.Open(t, nil, engine.Observe(nil), engine.Logger(nil), engine.MaxLength(40), nil)
	if n := e.Info().MaxLength; n != 40 {
		t.Errorf("max length %d, want 40", n)
	}
	score(t, e, pairs(3))
	if e, err := engine.OpenFS(nil); err == nil || !strings.Contains(err.Error(), "nil file system") {
		t.Errorf("opened %v, %v", e, err)
	}
}
