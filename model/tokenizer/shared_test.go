package tokenizer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// shared returns the path of a file of the shared data, which is not ours to
// have in the repository.
func shared(t testing.TB, path ...string) string {
	t.Helper()
	dir := os.Getenv("MINILM_SHARED")
	if dir == "" {
		t.Skip("MINILM_SHARED is not set")
	}
	return filepath.Join(append([]string{dir, "data"}, path...)...)
}

func readShared(t testing.TB, v any, path ...string) {
	t.Helper()
	data, err := os.ReadFile(shared(t, path...))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// realTokenizer is that of cross-encoder/ms-marco-MiniLM-L-6-v2.
func realTokenizer(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := LoadFS(os.DirFS(shared(t, "model-files")))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestRealFiles checks that both ways to load the real model's files lead to the
// same tokenizer.
func TestRealFiles(t *testing.T) {
	tok := realTokenizer(t)
	if tok.VocabSize() != 30522 || tok.MaxLength() != 512 || tok.Token(102) != "[SEP]" {
		t.Errorf("%d ids, at most %d tokens, id 102 is %q", tok.VocabSize(), tok.MaxLength(), tok.Token(102))
	}
	dir := shared(t, "model-files")
	fsys := memFS{}
	for _, name := range []string{"vocab.txt", "tokenizer_config.json", "special_tokens_map.json"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		fsys[name] = string(data)
	}
	other, err := LoadFS(fsys.fs())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tok.tokens, other.tokens) {
		t.Error("vocab.txt has other tokens than tokenizer.json")
	}
	const query, passage = "Héllo [MASK] wörld [SEP]", "naïve 中文 unaffable\u0000 [mask]"
	if a, b := encode(t, tok, query, passage), encode(t, other, query, passage); !slices.Equal(a.IDs, b.IDs) {
		t.Errorf("tokenizer.json: %d, vocab.txt: %d", a.IDs, b.IDs)
	}
}

// TestXtriever compares ids and types with those that another project published
// for the real model (made with candle and Hugging Face's tokenizers).
func TestXtriever(t *testing.T) {
	var golden struct {
		Queries []struct {
			Query    string
			Passages []struct {
				Text      string
				IDs       []int32 `json:"input_ids"`
				Types     []int32 `json:"token_type_ids"`
				Truncated bool
			}
		}
	}
	readShared(t, &golden, "goldens", "xtriever-rerank.json")
	tok := realTokenizer(t)
	pairs := 0
	for _, q := range golden.Queries {
		for _, p := range q.Passages {
			pairs++
			e := encode(t, tok, q.Query, p.Text)
			if p.Text == "" { // there an empty passage is none
				p.IDs, p.Types = append(p.IDs, tok.separator), append(p.Types, 1)
			}
			if !slices.Equal(e.IDs, p.IDs) || !slices.Equal(e.Types, p.Types) || e.Truncated != p.Truncated {
				t.Errorf("%q, %q:\n got %d %t\nwant %d %t", q.Query, p.Text, e.IDs, e.Truncated, p.IDs, p.Truncated)
			}
		}
	}
	if pairs != 37 {
		t.Errorf("%d pairs, want 37", pairs)
	}
}

// TestLlamaTexts compares with the ids that llama.cpp keeps for its own BERT
// tokenizer's tests, without special tokens.
func TestLlamaTexts(t *testing.T) {
	var texts, want []string
	for _, f := range []struct {
		ext, sep string
		to       *[]string
	}{{"inp", "\n__ggml_vocab_test__\n", &texts}, {"out", "\n", &want}} {
		data, err := os.ReadFile(shared(t, "tokenizer-conformance", "ggml-vocab-bert-bge.gguf."+f.ext))
		if err != nil {
			t.Fatal(err)
		}
		*f.to = strings.Split(strings.TrimSuffix(string(data), f.sep), f.sep)
	}
	if len(texts) != len(want) || len(texts) < 40 {
		t.Fatalf("%d texts, %d rows of ids", len(texts), len(want))
	}
	tok := realTokenizer(t)
	for i, text := range texts {
		ids, _ := appendPair(t, tok, nil, nil, text, "")
		if got := joinIDs(ids[1 : len(ids)-2]); got != strings.Join(strings.Fields(want[i]), " ") {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want[i])
		}
	}
}

func joinIDs(ids []int32) string {
	var b []byte
	for i, id := range ids {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(id), 10)
	}
	return string(b)
}

type textPair struct{ query, passage string }

// sharedPairs reads one of the data sets of testdata/tokenizer/datasets.py.
func sharedPairs(t testing.TB, name string) (pairs []textPair) {
	t.Helper()
	if language, ok := strings.CutPrefix(name, "xquad-"); ok {
		var xquad struct {
			Data []struct {
				Paragraphs []struct {
					Context string
					QAs     []struct{ Question string }
				}
			}
		}
		readShared(t, &xquad, "xquad", "xquad."+language+".json")
		for _, d := range xquad.Data {
			for _, p := range d.Paragraphs {
				for _, q := range p.QAs {
					pairs = append(pairs, textPair{q.Question, p.Context})
				}
			}
		}
		return pairs
	}
	var marco []struct {
		Query string
		Hits  []struct{ Content string }
	}
	readShared(t, &marco, "msmarco-dl19", "retrieve_results_dl19.json")
	for _, r := range marco {
		for _, h := range r.Hits {
			pairs = append(pairs, textPair{r.Query, h.Content})
		}
	}
	return pairs
}

// TestDatasets compares the ids of whole data sets with Hugging Face's, by the
// digests that testdata/tokenizer/datasets.py prints.
func TestDatasets(t *testing.T) {
	tok := realTokenizer(t)
	for _, d := range []struct {
		name          string
		maxLength     int
		left          bool
		pairs, tokens int
		sha256        string
	}{
		{"msmarco-dl19", 512, false, 4300, 409619, "79b24ec43d85522458331ac1a66a5797156d04b460429af4fb55427dd69dcdf5"},
		{"msmarco-dl19", 64, true, 4300, 268845, "d56d28c464ffd1da684826b17642b2313517ad83fa4e763e8e4279ee67e92a3c"},
		{"xquad-de", 512, false, 1190, 374797, "6a13cd214e3638731752adf2e1f9d68703ae7be09258d4d1544b89fbbc7e14f8"},
		{"xquad-de", 64, true, 1190, 76160, "685aa110e664ebb5de8188003a92beed4dd87235b3a8f064a3a5a48c45d92026"},
		{"xquad-en", 512, false, 1190, 213335, "dd7e9a493ec7be01775ae5c06966897c4506b9be162ddf34e68965fd775c6c7b"},
		{"xquad-en", 64, true, 1190, 75845, "62f46842338259739d43f495a911c2ca7a10034821621ae284ffa27fe7d947ba"},
		{"xquad-ru", 512, false, 1190, 588916, "ad23162c9529295631508a805d88ecb84fcb650e80bdc8943d4889ec64515e5e"},
		{"xquad-ru", 64, true, 1190, 76160, "cf727b0d8d497abf68cde84c87458f31df7e6d0b6f1a1ae4acbe2715fec736a2"},
		{"xquad-zh", 512, false, 1190, 297528, "905c5479aa2f404da18f42aab420fb2a349905ed95540f94b26580f05ab75daf"},
		{"xquad-zh", 64, true, 1190, 76159, "595fda01a20a5798f2c04fd94b80a0f35b94fd2cc25264e5c30c1d3e5efd733a"},
	} {
		side, sideName := TruncateRight, "right"
		if d.left {
			side, sideName = TruncateLeft, "left"
		}
		name := d.name + "-" + strconv.Itoa(d.maxLength) + "-" + sideName
		t.Run(name, func(t *testing.T) {
			tok, err := tok.Truncating(Truncation{MaxLength: d.maxLength, Side: side})
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			var ids, types []int32
			tokens := 0
			pairs := sharedPairs(t, d.name)
			for _, p := range pairs {
				ids, types = appendPair(t, tok, ids[:0], types[:0], p.query, p.passage)
				text.WriteString(joinIDs(ids) + "\n")
				tokens += len(ids)
			}
			sum := sha256.Sum256([]byte(text.String()))
			if got := hex.EncodeToString(sum[:]); got != d.sha256 || len(pairs) != d.pairs || tokens != d.tokens {
				file := filepath.Join(os.TempDir(), name+".txt")
				if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
					t.Error(err)
				}
				t.Errorf("%d pairs, %d tokens, SHA-256 %s; want %d, %d, %s: compare %s with what testdata/tokenizer/datasets.py writes",
					len(pairs), tokens, got, d.pairs, d.tokens, d.sha256, file)
			}
		})
	}
}
