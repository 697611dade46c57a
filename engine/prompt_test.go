package engine_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

const (
	crossEncoder  = `[{"idx":0,"name":"0","path":"","type":"sentence_transformers.base.modules.transformer.Transformer"}]`
	askedByNature = `{"model_type":"CrossEncoder","prompts":{"ask":"answer this: ","short":"? "},"default_prompt_name":"ask"}`
	forScores     = `{"transformer_task":"sequence-classification"}`
)

// modularFiles is enginetest's checkpoint as sentence-transformers 5.4 and later save it.
func modularFiles(t *testing.T, settings, input string) fstest.MapFS {
	t.Helper()
	files, err := synth.FS(1, enginetest.Shape)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{"modules.json": {Data: []byte(crossEncoder)}, "config_sentence_transformers.json": {Data: []byte(settings)}, "sentence_bert_config.json": {Data: []byte(input)}}
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		fsys[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

func openModular(t *testing.T, fsys fs.FS, opts ...engine.Option) *engine.Engine {
	t.Helper()
	e, err := engine.OpenFS(fsys, append([]engine.Option{engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// A prompt is text before the query, of every call that makes tokens of texts: the
// checkpoint's default, another of its prompts, or the call's own.
func TestPrompts(t *testing.T) {
	fsys := modularFiles(t, askedByNature, forScores)
	plain := enginetest.Open(t)
	pairs := []engine.Pair{{Query: "what is a cell", Passage: "the unit of life"}, {Query: "", Passage: "a room"}}
	for _, c := range []struct {
		name   string
		open   []engine.Option
		call   []engine.CallOption
		prompt string
	}{
		{"the default", nil, nil, "answer this: "},
		{"by name", nil, []engine.CallOption{engine.PromptName("short")}, "? "},
		{"the call's own", nil, []engine.CallOption{engine.Prompt("Q:")}, "Q:"},
		{"none", nil, []engine.CallOption{engine.Prompt("")}, ""},
		{"the last", nil, []engine.CallOption{engine.Prompt("Q:"), nil, engine.PromptName("ask"), engine.PromptName("short")}, "? "},
		{"the last, a text", nil, []engine.CallOption{engine.PromptName("nobody"), engine.Prompt("Q:")}, "Q:"},
		{"another default", []engine.Option{engine.DefaultPrompt("short")}, nil, "? "},
		{"no default", []engine.Option{engine.DefaultPrompt("")}, nil, ""},
		{"another text", []engine.Option{engine.Prompts(map[string]string{"ask": "now: ", "own": "mine: "})}, nil, "now: "},
		{"an own default", []engine.Option{engine.DefaultPrompt("own"), engine.Prompts(map[string]string{"own": "mine: "})}, nil, "mine: "},
		{"an own by name", []engine.Option{engine.Prompts(map[string]string{"own": "mine: "}), engine.Prompts(map[string]string{"other": "x"})}, []engine.CallOption{engine.PromptName("own")}, "mine: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := openModular(t, fsys, c.open...)
			whole := slices.Clone(pairs)
			for i := range whole {
				whole[i].Query = c.prompt + whole[i].Query
			}
			want := score(t, plain, whole)
			check := func(of string, got []float32, err error) {
				t.Helper()
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: %g, %v, want %g", of, got, err, want)
				}
			}
			got, err := e.Score(t.Context(), nil, pairs, c.call...)
			check("Score", got, err)
			got = nil
			for score, err := range e.Stream(t.Context(), slices.Values(pairs), c.call...) {
				if err != nil {
					t.Error(err)
				}
				got = append(got, score)
			}
			check("Stream", got, nil)
			var a, b model.Batch
			if err := errors.Join(e.Tokenize(&a, pairs, c.call...), plain.Tokenize(&b, whole)); err != nil || !slices.Equal(a.IDs, b.IDs) {
				t.Errorf("Tokenize: %v, %v, want %v", a.IDs, err, b.IDs)
			}
			got, err = e.ScoreTokens(t.Context(), nil, &b) // which are no texts
			check("ScoreTokens", got, err)
			opts := []engine.RankOption{engine.TopK(1)}
			for _, o := range c.call {
				opts = append(opts, o)
			}
			ranked, err := e.Rank(t.Context(), pairs[0].Query, []string{pairs[0].Passage}, opts...)
			if err != nil || len(ranked) != 1 || ranked[0].Score != want[0] {
				t.Errorf("Rank: %v, %v, want %g", ranked, err, want[0])
			}
		})
	}
}

// A model may be in the folder that modules.json names, of a file system and of a folder on
// disk.
func TestModelInAFolder(t *testing.T) {
	moved := fstest.MapFS{}
	for name, file := range modularFiles(t, askedByNature, forScores) {
		switch name {
		case "modules.json":
			file = &fstest.MapFile{Data: []byte(strings.Replace(crossEncoder, `"path":""`, `"path":"parts/0_Transformer"`, 1))}
		case "config_sentence_transformers.json":
		default:
			name = "parts/0_Transformer/" + name
		}
		moved[name] = file
	}
	pairs := []engine.Pair{{Query: "what is a cell", Passage: "the unit of life"}}
	want := score(t, openModular(t, modularFiles(t, askedByNature, forScores)), pairs)
	if got := score(t, openModular(t, moved), pairs); !slices.Equal(got, want) {
		t.Errorf("%g, want %g", got, want)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, moved); err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(dir, engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if got := score(t, e, pairs); !slices.Equal(got, want) {
		t.Errorf("on disk: %g, want %g", got, want)
	}
	if err := os.Remove(filepath.Join(dir, "parts", "0_Transformer", "tokenizer.json")); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(filepath.Join(dir, "parts", "0_Transformer", "vocab.txt"))
	_, err = engine.Open(dir)
	if says := "lacks parts/0_Transformer/tokenizer.json or vocab.txt; modules.json says that the model is in parts/0_Transformer"; err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%v, want %q", err, says)
	}
}

// Info tells what prompts there are, and what it tells is the caller's.
func TestInfoTellsPrompts(t *testing.T) {
	e := openModular(t, modularFiles(t, askedByNature, forScores), engine.Prompts(map[string]string{"own": "mine: "}))
	want := map[string]string{"ask": "answer this: ", "short": "? ", "own": "mine: "}
	for range 2 {
		info := e.Info()
		if !maps.Equal(info.Prompts, want) || info.DefaultPrompt != "ask" {
			t.Errorf("%v, %q, want %v", info.Prompts, info.DefaultPrompt, want)
		}
		clear(info.Prompts)
	}
	if info := enginetest.Open(t).Info(); len(info.Prompts) > 0 || info.DefaultPrompt != "" {
		t.Errorf("of a model without any: %v, %q", info.Prompts, info.DefaultPrompt)
	}
}

// A name that no prompt has is an error that lists those that there are, of every call and
// of Open, and the engine goes on.
func TestUnknownPrompt(t *testing.T) {
	const says = `engine: no prompt "nobody": the model has "ask", "short"`
	fsys := modularFiles(t, askedByNature, forScores)
	if e, err := engine.OpenFS(fsys, engine.DefaultPrompt("nobody"), engine.NoCalibrationFile()); e != nil || !errors.Is(err, engine.ErrPrompt) || err.Error() != says {
		t.Errorf("Open: %v", err)
	}
	e, nobody := openModular(t, fsys), engine.PromptName("nobody")
	pairs := []engine.Pair{{}}
	var b model.Batch
	got, scoreErr := e.Score(t.Context(), []float32{7}, pairs, nobody)
	ranked, rankErr := e.Rank(t.Context(), "", []string{""}, nobody)
	for of, err := range map[string]error{"Score": scoreErr, "Rank": rankErr, "Tokenize": e.Tokenize(&b, pairs, nobody),
		"Stream": streamed(e.Stream(t.Context(), slices.Values(pairs), nobody), 1)} {
		if !errors.Is(err, engine.ErrPrompt) || err.Error() != says {
			t.Errorf("%s: %v, want %s", of, err, says)
		}
	}
	if len(got) != 1 || len(ranked) != 0 || b.Len() != 0 {
		t.Errorf("%g, %v, %d sequences", got, ranked, b.Len())
	}
	if _, err := e.Score(t.Context(), nil, pairs); err != nil {
		t.Error(err)
	}
	_, err := enginetest.Open(t).Score(t.Context(), nil, pairs, nobody)
	if !errors.Is(err, engine.ErrPrompt) || !strings.Contains(err.Error(), "the model has no prompts") {
		t.Errorf("of a model without any: %v", err)
	}
}

// What processing_kwargs say of truncation is done, and a pair that is not to be cut is an
// error of that pair, wherever it is among others.
func TestProcessingOfOnePair(t *testing.T) {
	input := strings.TrimSuffix(forScores, "}") + `,"processing_kwargs":{"text":{"max_length":16,"truncation":"only_second"}}}`
	e := openModular(t, modularFiles(t, `{"model_type":"CrossEncoder"}`, input))
	info := e.Info()
	if info.MaxLength != 16 || info.MaxLengthFrom != "sentence_bert_config.json: processing_kwargs: text: max_length" || info.TruncationStrategy != "only_second" || info.TruncationSide != "right" {
		t.Errorf("%d tokens, by %q, %q, %q", info.MaxLength, info.MaxLengthFrom, info.TruncationStrategy, info.TruncationSide)
	}
	long := strings.Repeat("cell ", 20)
	pairs := []engine.Pair{{Query: "a", Passage: long}, {Query: long, Passage: "a"}, {Query: "a", Passage: "b"}}
	got, err := e.Score(t.Context(), nil, pairs)
	bad := (*engine.PairError)(nil)
	if !errors.As(err, &bad) || bad.Index != 1 || !errors.Is(err, engine.ErrTooLong) || len(got) != 3 || got[0] != got[0] || got[1] == got[1] || got[2] != got[2] {
		t.Errorf("%g, %v", got, err)
	}
	var b model.Batch
	if err := e.Tokenize(&b, pairs[:1]); err != nil || b.Tokens() != 16 || b.Types[2] != 0 || b.Types[3] != 1 {
		t.Errorf("%v %v, %v", b.IDs, b.Types, err)
	}
}
