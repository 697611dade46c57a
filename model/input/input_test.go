package input

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// spec is a model of 64 positions whose tokenizer files say lowerCase and maxLength.
func spec(lowerCase, maxLength string, in model.Input) *model.Spec {
	s := &model.Spec{Input: in, Files: fstest.MapFS{
		"vocab.txt":             {Data: []byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n")},
		"tokenizer_config.json": {Data: []byte(`{"do_lower_case":` + lowerCase + `,"model_max_length":` + maxLength + `}`)},
	}}
	s.MaxPositions = 64
	return s
}

// The length is the first that somebody says: the caller, sentence-transformers' files, the
// tokenizer's; and never more than the positions.
func TestLengthAndStrategy(t *testing.T) {
	const file, from = "tokenizer_config.json: model_max_length", "sentence_bert_config.json: max_seq_length"
	left := tokenizer.TruncateLeft
	for _, c := range []struct {
		name     string
		max      string
		in       model.Input
		asked    Asked
		length   int
		source   string
		strategy tokenizer.Strategy
		side     tokenizer.Side
	}{
		{"the tokenizer's", "32", model.Input{}, Asked{}, 32, file, tokenizer.LongestFirst, tokenizer.TruncateRight},
		{"more than the positions", "512", model.Input{}, Asked{}, 64, "config.json: max_position_embeddings", tokenizer.LongestFirst, tokenizer.TruncateRight},
		{"none", "null", model.Input{}, Asked{}, 64, "config.json: max_position_embeddings", tokenizer.LongestFirst, tokenizer.TruncateRight},
		{"the library's", "32", model.Input{MaxLength: 24, LengthSource: from, Strategy: "only_second"}, Asked{}, 24, from, tokenizer.OnlySecond, tokenizer.TruncateRight},
		{"the library's, longer", "32", model.Input{MaxLength: 40, LengthSource: from}, Asked{}, 40, from, tokenizer.LongestFirst, tokenizer.TruncateRight},
		{"beyond the positions", "32", model.Input{MaxLength: 400, LengthSource: from}, Asked{}, 64, "config.json: max_position_embeddings", tokenizer.LongestFirst, tokenizer.TruncateRight},
		{"not cut", "32", model.Input{MaxLength: 24, LengthSource: from, Strategy: "do_not_truncate"}, Asked{}, 64, "config.json: max_position_embeddings", tokenizer.DoNotTruncate, tokenizer.TruncateRight},
		{"by request", "32", model.Input{MaxLength: 24, LengthSource: from, Strategy: "only_first"}, Asked{48, &left}, 48, "by request", tokenizer.OnlyFirst, tokenizer.TruncateLeft},
	} {
		got, source, err := Tokenizer(spec("true", c.max, c.in), c.asked)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if cut := got.Truncation(); cut != (tokenizer.Truncation{MaxLength: c.length, Side: c.side, Strategy: c.strategy}) || source != c.source {
			t.Errorf("%s: %+v by %q, want %d by %q", c.name, cut, source, c.length, c.source)
		}
	}
	if _, _, err := Tokenizer(spec("true", "32", model.Input{}), Asked{MaxLength: 65}); err == nil || !strings.Contains(err.Error(), "max length 65 tokens, the model takes 64") {
		t.Errorf("more than the model takes: %v", err)
	}
}

// Lower case that is asked for beside the tokenizer is there already, or is refused.
func TestLowercase(t *testing.T) {
	if _, _, err := Tokenizer(spec("true", "32", model.Input{Lowercase: true}), Asked{}); err != nil {
		t.Error(err)
	}
	_, _, err := Tokenizer(spec("false", "32", model.Input{Lowercase: true}), Asked{})
	if !errors.Is(err, model.ErrConfig) || !strings.Contains(err.Error(), "do_lower_case of sentence-transformers, true, is not supported beside a tokenizer that does not begin with it") {
		t.Errorf("%v", err)
	}
}
