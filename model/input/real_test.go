package input

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/model"
)

// Texts are cut where sentence-transformers cuts them, though the tokenizer.json of several
// models says 128 tokens and asks to fill up to as many, which is of whoever called it last.
func TestLengthsOfRealFiles(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set: the files of real models are not read")
	}
	// The owner of one copy has edited its modules.json, and another has the original.
	original, err := os.ReadFile(filepath.Join(shared, "data", "configs", "multi-qa-MiniLM-L6-cos-v1", "modules.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		length int
		from   string
	}{
		"all-MiniLM-L6-v2":              {256, "sentence_bert_config.json: max_seq_length"},
		"all-MiniLM-L6-v2-resaved-4.15": {256, "sentence_bert_config.json: max_seq_length"},
		"multi-qa-MiniLM-L6-cos-v1":     {512, "sentence_bert_config.json: max_seq_length"},
		"e5-small-v2":                   {512, "sentence_bert_config.json: max_seq_length"},
		"gte-small":                     {512, "config.json: max_position_embeddings"},
	} {
		files := fstest.MapFS{}
		dir := os.DirFS(filepath.Join(shared, "data", "configs", name))
		err := fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				var data []byte
				data, err = fs.ReadFile(dir, path)
				files[path] = &fstest.MapFile{Data: data}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if name == "all-MiniLM-L6-v2" {
			files["modules.json"] = &fstest.MapFile{Data: original}
			files["1_Pooling/config.json"] = &fstest.MapFile{Data: []byte(`{"word_embedding_dimension":384}`)}
		}
		s, err := model.ReadEmbedder(files)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		tok, from, err := Tokenizer(s, Asked{})
		if err != nil || tok.MaxLength() != want.length || from != want.from {
			t.Errorf("%s: %d by %q, %v, want %d by %q", name, tok.MaxLength(), from, err, want.length, want.from)
			continue
		}
		for words, tokens := range map[int]int{0: 2, 3: 5, 200: 202, 300: min(302, want.length), 600: want.length} {
			ids, types, err := tok.AppendText(nil, nil, strings.Repeat("river ", words))
			if err != nil || len(ids) != tokens || len(types) != tokens {
				t.Errorf("%s: %d tokens of %d words, %v, want %d", name, len(ids), words, err, tokens)
			}
		}
	}
}
