package engine_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// A model with one type takes pairs whose tokens all have type 0, "auto" with the pairs
// that the gate makes up too. Where the tokenizer gives the passage type 1, transformers
// fails at every pair: so does Open, once.
func TestOneTypeOfTokens(t *testing.T) {
	shape := enginetest.Shape
	shape.Types = 1
	fsys, err := synth.FS(1, shape)
	if err != nil {
		t.Fatal(err)
	}
	for _, precision := range []string{"auto", "f32"} {
		e, err := engine.OpenFS(fsys, engine.Device("cpu"), engine.Precision(precision), engine.NoCalibrationFile(), engine.JudgeAll())
		if err != nil {
			t.Fatal(precision, err)
		}
		scores := score(t, e, pairs(3))
		var b model.Batch
		if err := e.Tokenize(&b, pairs(3)); err != nil {
			t.Fatal(err)
		}
		if slices.Max(b.Types) != 0 || scores[0] == scores[1] {
			t.Errorf("%s: types %d, scores %g", precision, b.Types, scores)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}

	typed := copied(t, fsys)
	typed["tokenizer_config.json"] = &fstest.MapFile{Data: []byte(`{"tokenizer_class": "BertTokenizer"}`)}
	_, err = engine.OpenFS(typed, engine.Device("cpu"), engine.NoCalibrationFile())
	if !errors.Is(err, engine.ErrModel) || !strings.Contains(err.Error(), "type_vocab_size 1") || !strings.Contains(err.Error(), "model_input_names") {
		t.Errorf("a tokenizer with two types: %v", err)
	}
}

// copied is a file system in memory, to be changed.
func copied(t *testing.T, fsys fs.FS) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{}
	names, err := fs.Glob(fsys, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = &fstest.MapFile{Data: data}
	}
	return all
}

// What is odd about a checkpoint is in Info and in the log, once; what kind of model it is
// comes before what its other files lack.
func TestWarningsAreSaidOnce(t *testing.T) {
	all := copied(t, checkpoint(t))
	config := string(all["config.json"].Data)
	all["config.json"] = &fstest.MapFile{Data: []byte(strings.Replace(config, `"BertForSequenceClassification"`, `"BertForMultipleChoice"`, 1))}
	var log bytes.Buffer
	e, err := engine.OpenFS(all, engine.Precision("f32"), engine.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	score(t, e, pairs(2))
	warnings := e.Info().Warnings
	if len(warnings) != 1 || !strings.Contains(warnings[0], "BertForMultipleChoice") {
		t.Errorf("warnings %q", warnings)
	}
	if n := strings.Count(log.String(), "BertForMultipleChoice"); n != 1 || !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("%d times in the log:\n%s", n, log.String())
	}
	warnings[0] = "the caller's"
	if e.Info().Warnings[0] == warnings[0] {
		t.Error("Info hands out its own slice")
	}

	delete(all, "tokenizer.json")
	delete(all, "vocab.txt")
	all["config.json"] = &fstest.MapFile{Data: []byte(strings.Replace(config, `"bert"`, `"roberta"`, 1))}
	if _, err := engine.OpenFS(all); !errors.Is(err, engine.ErrModel) || !strings.Contains(err.Error(), `model_type: "roberta"`) {
		t.Errorf("another model: %v", err)
	}
}

// Info says which of the files, or who, set the length.
func TestInfoSaysWhatSetTheLength(t *testing.T) {
	for _, c := range []struct {
		config string
		opts   []engine.Option
		length int
		from   string
	}{
		{`{"model_max_length": 128}`, nil, 128, "tokenizer_config.json: model_max_length"},
		{`{"model_max_length": 512}`, nil, 512, "tokenizer_config.json: model_max_length"},
		{`{"model_max_length": 1e30}`, nil, 512, "config.json: max_position_embeddings"},
		{`{}`, nil, 512, "config.json: max_position_embeddings"},
		{`{"max_len": 64}`, nil, 64, "tokenizer_config.json: max_len"},
		{`{"model_max_length": 128}`, []engine.Option{engine.MaxLength(300)}, 300, "by request"},
	} {
		all := copied(t, checkpoint(t))
		all["tokenizer_config.json"] = &fstest.MapFile{Data: []byte(c.config)}
		e, err := engine.OpenFS(all, append(c.opts, engine.Precision("f32"))...)
		if err != nil {
			t.Fatal(err)
		}
		if info := e.Info(); info.MaxLength != c.length || info.MaxLengthFrom != c.from {
			t.Errorf("%s: %d by %q, want %d by %q", c.config, info.MaxLength, info.MaxLengthFrom, c.length, c.from)
		}
		e.Close()
	}
}
