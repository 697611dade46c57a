package tokenizer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/model/memorytest"
)

const (
	vectorsPath = "../../testdata/tokenizer/vectors.jsonl.gz"
	unicodePath = "../../testdata/tokenizer/unicode.json"
	vocabPath   = "../synth/vocab.txt"
)

// vector is a pair with what Hugging Face's library makes of it; see
// testdata/tokenizer/vectors.mjs, which writes them.
type vector struct {
	line           int
	config         int
	max            int
	left           bool
	query, passage string
	ids            []int32
	zeros          int   // tokens of type 0
	spans          []int // a token: start less the end before it, length; in code points
}

func (v *vector) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&v.config, &v.max, &v.left, &v.query, &v.passage, &v.ids, &v.zeros, &v.spans})
}

// shippedVocab returns the vocabulary that the vectors are made with.
func shippedVocab(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile(vocabPath)
	if err != nil {
		t.Fatal(err)
	}
	vocab, err := parseVocab(data)
	if err != nil {
		t.Fatal(err)
	}
	return vocab
}

// readVectors returns the vectors and, for each of their configurations, a
// tokenizer read from its tokenizer.json.
func readVectors(t testing.TB) ([]vector, []*Tokenizer) {
	t.Helper()
	f, err := os.Open(vectorsPath)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() {
		t.Fatal("no header: ", lines.Err())
	}
	var header struct {
		VocabSHA string `json:"vocab_sha256"`
		Configs  []struct {
			Name  string
			JSON  map[string]any
			Vocab []string
		}
	}
	if err := json.Unmarshal(lines.Bytes(), &header); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(vocabPath)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != header.VocabSHA {
		t.Fatalf("%s is not the vocabulary that %s was made with; make it again as vectors.mjs says", vocabPath, vectorsPath)
	}
	shipped := shippedVocab(t)
	var tokenizers []*Tokenizer
	for _, c := range header.Configs {
		vocab := map[string]int{}
		if c.Vocab == nil {
			c.Vocab = shipped
		}
		for id, token := range c.Vocab {
			vocab[token] = id
		}
		c.JSON["model"].(map[string]any)["vocab"] = vocab
		data, err := json.Marshal(c.JSON)
		if err != nil {
			t.Fatal(err)
		}
		tok, err := LoadFS(fstest.MapFS{"tokenizer.json": {Data: data}})
		if err != nil {
			t.Fatalf("configuration %q: %v", c.Name, err)
		}
		tokenizers = append(tokenizers, tok)
	}
	var vectors []vector
	for n := 2; lines.Scan(); n++ {
		v := vector{line: n}
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		vectors = append(vectors, v)
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	return vectors, tokenizers
}

// TestVectors compares ids, types and offsets with Hugging Face's.
func TestVectors(t *testing.T) {
	vectors, tokenizers := readVectors(t)
	if len(vectors) < 5000 {
		t.Fatalf("%d vectors, want 5000 or more", len(vectors))
	}
	failed, truncated := 0, 0
	for _, v := range vectors {
		side := TruncateRight
		if v.left {
			side = TruncateLeft
		}
		tok, err := tokenizers[v.config].Truncating(Truncation{MaxLength: v.max, Side: side})
		if err != nil {
			t.Fatal(err)
		}
		e := encode(t, tok, v.query, v.passage)
		ids, types := appendPair(t, tok, nil, nil, v.query, v.passage)
		wantTypes := make([]int32, len(v.ids))
		for i := v.zeros; i < len(wantTypes); i++ {
			wantTypes[i] = 1
		}
		if e.Truncated {
			truncated++
		}
		if e.Truncated != (tok.PairLength(v.query, v.passage) > v.max) {
			t.Errorf("line %d: truncated %t, length %d of %d", v.line, e.Truncated, tok.PairLength(v.query, v.passage), v.max)
		}
		switch spans := relativeSpans(e, v.query, v.passage); {
		case !slices.Equal(ids, v.ids) || !slices.Equal(types, wantTypes):
			t.Errorf("line %d: %q, %q:\n got %d\nwant %d", v.line, v.query, v.passage, ids, v.ids)
		case !slices.Equal(e.IDs, ids) || !slices.Equal(e.Types, types):
			t.Errorf("line %d: Encode has other ids than AppendPair:\n got %d\nwant %d", v.line, e.IDs, ids)
		case !slices.Equal(spans, v.spans):
			t.Errorf("line %d: %q, %q: %q: offsets\n got %d\nwant %d", v.line, v.query, v.passage, e.Tokens, spans, v.spans)
		default:
			continue
		}
		if failed++; failed == 10 {
			t.Fatal("and so on")
		}
	}
	if truncated < 1000 || truncated > len(vectors)-1000 {
		t.Errorf("%d of %d vectors are truncated", truncated, len(vectors))
	}
}

// relativeSpans writes the offsets of e as the vectors have them.
func relativeSpans(e Encoding, query, passage string) []int {
	var spans []int
	text, end := query, 0
	zeros := len(e.Types) - int(sum(e.Types))
	for i, span := range e.Offsets {
		if i == zeros {
			text = passage
		}
		from := utf8.RuneCountInString(text[:span.Start])
		to := from + utf8.RuneCountInString(text[span.Start:span.End])
		spans = append(spans, from-end, to-from)
		end = to
	}
	return spans
}

func sum(list []int32) (s int32) {
	for _, n := range list {
		s += n
	}
	return s
}

// TestEveryCodePoint compares the normalised text and the words of a<c>b, for
// every code point c and every setting of the normaliser, with Hugging Face's.
func TestEveryCodePoint(t *testing.T) {
	if memorytest.RaceDetector {
		t.Skip("a minute long with the race detector, which has nothing to find in it")
	}
	data, err := os.ReadFile(unicodePath)
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ SHA256 map[string]string }
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if len(want.SHA256) != 16 {
		t.Fatalf("%d settings, want 16", len(want.SHA256))
	}
	plain := newCharTable(rules{})
	for name, digest := range want.SHA256 {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			has := func(part string) bool { return slices.Contains(strings.Split(name, "+"), part) }
			table := newCharTable(rules{clean: has("clean"), chinese: has("chinese"), strip: has("strip"), lower: has("lower")})
			hash := sha256.New()
			var row, text []byte
			for c := rune(0); c <= utf8.MaxRune; c++ {
				if 0xD800 <= c && c <= 0xDFFF {
					continue
				}
				text = append(utf8.AppendRune(append(text[:0], 'a'), c), 'b')
				n := scanner{chars: table, word: make([]byte, 64)}
				n.normalize(string(text), 0, len(text))
				row = append(append(row[:0], n.word[:n.n]...), 2)
				// The words by the classes that scan goes by.
				word := false
				for _, r := range string(n.word[:n.n]) {
					switch plain.at(r).kind() {
					case space:
						word = false
						continue
					case punct:
						word = false
					}
					if !word && !bytes.HasSuffix(row, []byte{2}) {
						row = append(row, 1)
					}
					row = utf8.AppendRune(row, r)
					word = plain.at(r).kind() != punct
				}
				row = append(row, '\n')
				hash.Write(row)
			}
			if got := hex.EncodeToString(hash.Sum(nil)); got != digest {
				t.Errorf("SHA-256 %s, want %s: make unicode_tables.go and unicode.json again, with the same version of the library", got, digest)
			}
		})
	}
}

// TestTablesCompose checks what the tables take for granted: that a code point
// becomes several only inside a word, that marks have no lower case, and that
// pages are shared.
func TestTablesCompose(t *testing.T) {
	plain := newCharTable(rules{})
	for bits := range 16 {
		o := rules{bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&8 != 0}
		table := newCharTable(o)
		for _, image := range table.images {
			for _, r := range image {
				if k := plain.at(r).kind(); k != becomes {
					t.Errorf("%+v: image %q has %U of kind %d", o, image, r, k)
				}
			}
		}
		distinct := map[*page]bool{}
		for _, p := range table.pages {
			distinct[p] = true
		}
		if len(distinct) > 250 {
			t.Errorf("%+v: %d distinct pages", o, len(distinct))
		}
	}
	for _, c := range combining {
		for r := c.lo; r <= c.hi; r++ {
			if low, ok := lookup(lowercase, r); ok && !inRanges(accentRanges, r) {
				t.Errorf("%U has the lower case %q", r, low)
			}
			if plain.at(r).kind() != becomes {
				t.Errorf("%U combines and ends words", r)
			}
		}
	}
	for _, c := range []struct {
		syllable          rune
		lead, vowel, tail rune
	}{{'가', 0x1100, 0x1161, 0}, {'한', 0x1112, 0x1161, 0x11AB}, {'힣', 0x1112, 0x1175, 0x11C2}} {
		if l, v, x := jamo(c.syllable); l != c.lead || v != c.vowel || x != c.tail {
			t.Errorf("%c: jamo %U %U %U", c.syllable, l, v, x)
		}
	}
}
