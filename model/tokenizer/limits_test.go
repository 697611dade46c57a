package tokenizer

import (
	"slices"
	"strings"
	"testing"
)

// What tokenizer.json says of truncation and padding is left over from somebody's last
// call. Only its direction counts, and only where tokenizer_config.json has no
// truncation_side.
func TestTruncationOfTokenizerJSONIsTheLastCalls(t *testing.T) {
	const last = `{"direction": "Left", "max_length": 5, "strategy": "OnlySecond", "stride": 4}`
	for _, c := range []struct {
		config string
		length int
		source string
		side   Side
	}{
		{`{}`, NoLimit, "", TruncateLeft},
		{`{"model_max_length": 9}`, 9, "tokenizer_config.json: model_max_length", TruncateLeft},
		{`{"model_max_length": 9, "truncation_side": "right"}`, 9, "tokenizer_config.json: model_max_length", TruncateRight},
		{`{"model_max_length": 1e30, "truncation_side": "left"}`, NoLimit, "", TruncateLeft},
		{`{"model_max_length": 1000000000000000019884624838656}`, NoLimit, "", TruncateLeft},
		{`{"model_max_length": null, "max_len": 7}`, NoLimit, "", TruncateLeft},
		{`{"max_len": 7}`, 7, "tokenizer_config.json: max_len", TruncateLeft},
		{`{"max_len": 7, "model_max_length": 9}`, 9, "tokenizer_config.json: model_max_length", TruncateLeft},
		{`{"max_length": 4, "stride": 2, "truncation_strategy": "only_first"}`, NoLimit, "", TruncateLeft},
	} {
		files := memFS{jsonFile: tinyJSON(t, [2]string{"truncation", last}, [2]string{"padding", `{"strategy": {"Fixed": 12}, "direction": "Right", "pad_id": 0}`}), configFile: c.config}
		tok, err := LoadFS(files.fs())
		if err != nil {
			t.Errorf("%s: %v", c.config, err)
			continue
		}
		if tok.MaxLength() != c.length || tok.LengthSource() != c.source || tok.Truncation().Side != c.side {
			t.Errorf("%s: %d by %q, side %d; want %d by %q, %d", c.config, tok.MaxLength(), tok.LengthSource(), tok.Truncation().Side, c.length, c.source, c.side)
		}
		if want := min(4+8+specials, c.length); len(encode(t, tok, "a a a a", "b b b b b b b b").IDs) != want {
			t.Errorf("%s: %d tokens, want %d", c.config, len(encode(t, tok, "a a a a", "b b b b b b b b").IDs), want)
		}
		if cut, err := tok.Truncating(Truncation{MaxLength: 5, Side: TruncateRight}); err != nil || cut.LengthSource() != "" {
			t.Errorf("cut anew: length by %q, %v", cut.LengthSource(), err)
		}
	}
}

// The passage has type 1 where the model's inputs have types, as model_input_names says or
// else the class.
func TestTypesAreThoseOfTheModelsInputs(t *testing.T) {
	for _, c := range []struct {
		config string
		types  int
		warns  bool
	}{
		{`{}`, 2, false},
		{`{"tokenizer_class": null}`, 2, false},
		{`{"tokenizer_class": "BertTokenizerFast"}`, 2, false},
		{`{"tokenizer_class": "ElectraTokenizer"}`, 2, false},
		{`{"tokenizer_class": "DistilBertTokenizer"}`, 1, false},
		{`{"tokenizer_class": "TokenizersBackend"}`, 1, false},
		{`{"tokenizer_class": "PreTrainedTokenizerFast"}`, 1, true},
		{`{"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": ["input_ids", "token_type_ids"]}`, 2, false},
		{`{"model_input_names": ["input_ids", "attention_mask"]}`, 1, false},
		{`{"model_input_names": []}`, 1, false},
		{`{"tokenizer_class": "DistilBertTokenizer", "model_input_names": ["token_type_ids"]}`, 2, false},
	} {
		tok, err := LoadFS(memFS{jsonFile: tinyJSON(t), configFile: c.config}.fs())
		if err != nil {
			t.Errorf("%s: %v", c.config, err)
			continue
		}
		e := encode(t, tok, "a b", "b")
		_, appended := appendPair(t, tok, nil, nil, "a b", "b")
		want := []int32{0, 0, 0, 0, 1, 1}
		if c.types == 1 {
			want = make([]int32, 6)
		}
		if tok.Types() != c.types || !slices.Equal(e.Types, want) || !slices.Equal(appended, want) {
			t.Errorf("%s: %d types, %d and %d; want %d", c.config, tok.Types(), e.Types, appended, want)
		}
		if w := tok.Warnings(); (len(w) == 1 && strings.Contains(w[0], "model_input_names")) != c.warns {
			t.Errorf("%s: warnings %q", c.config, w)
		}
	}
}

// Where tokenizer_config.json is silent, Python's BertTokenizer has its own defaults, and
// everybody else reads tokenizer.json: that is said.
func TestNormalisationThatPythonDoesOtherwise(t *testing.T) {
	type change = [2]string
	for _, c := range []struct {
		normalizer, value, config string
		says                      []string
	}{
		{"lowercase", "true", `{}`, nil},
		{"lowercase", "false", `{}`, []string{"no do_lower_case, and tokenizer.json has false: Python's BertTokenizer takes true"}},
		{"lowercase", "false", `{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}`, nil},
		{"lowercase", "false", `{"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": ["token_type_ids"]}`, nil},
		{"strip_accents", "false", `{"strip_accents": null}`, []string{"no strip_accents, and tokenizer.json has false"}},
		{"strip_accents", "true", `{}`, nil},
		{"strip_accents", "false", `{"strip_accents": false}`, nil},
		{"handle_chinese_chars", "false", `{}`, []string{"no tokenize_chinese_chars"}},
	} {
		tok, err := LoadFS(memFS{jsonFile: tinyJSON(t, change{"normalizer/" + c.normalizer, c.value}), configFile: c.config}.fs())
		if err != nil {
			t.Errorf("%s %s, %s: %v", c.normalizer, c.value, c.config, err)
			continue
		}
		got := tok.Warnings()
		if len(got) != len(c.says) || len(got) == 1 && !strings.Contains(got[0], c.says[0]) {
			t.Errorf("%s %s, %s: warnings %q, want %q", c.normalizer, c.value, c.config, got, c.says)
		}
	}
}
