package tokenizer

import (
	"strings"
	"testing"
)

// Where tokenizer_config.json names no class, that of the model's config.json counts, as
// in transformers. The Japanese checkpoints have it there alone: beside their vocab.txt,
// which looks like BERT's, lies nothing else that says how their words are found.
func TestClassOfTheModelsConfig(t *testing.T) {
	const vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n"
	for _, c := range []struct {
		model, config string
		types         int
		refused       string
	}{
		{`{"tokenizer_class": "DistilBertTokenizer"}`, `{}`, 1, ""},
		{`{"tokenizer_class": "DistilBertTokenizer"}`, `{"tokenizer_class": null}`, 1, ""},
		{`{"tokenizer_class": "DistilBertTokenizer"}`, `{"tokenizer_class": "BertTokenizer"}`, 2, ""},
		{`{"tokenizer_class": null}`, `{}`, 2, ""},
		{`{}`, `{}`, 2, ""},
		{``, `{}`, 2, ""},
		{`{"tokenizer_class": "BertJapaneseTokenizer"}`, `{"word_tokenizer_type": "mecab"}`, 0, `config.json: tokenizer_class "BertJapaneseTokenizer"`},
	} {
		files := memFS{jsonFile: tinyJSON(t), configFile: c.config}
		if c.model != "" {
			files[modelFile] = c.model
		}
		tok, err := LoadFS(files.fs())
		if c.refused == "" && (err != nil || tok.Types() != c.types) {
			t.Errorf("%s beside %s: %v, want %d types", c.config, c.model, err, c.types)
			continue
		}
		if c.refused == "" {
			continue
		}
		delete(files, jsonFile)
		files[vocabFile] = vocab
		_, fromVocab := LoadFS(files.fs())
		for _, err := range []error{err, fromVocab} {
			if err == nil || !strings.Contains(err.Error(), "tokenizer: "+c.refused) {
				t.Errorf("%s beside %s: %v, want %q", c.config, c.model, err, c.refused)
			}
		}
	}
}
