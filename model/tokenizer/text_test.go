package tokenizer

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// A text alone has the tokens that it has as the query beside an empty passage, but for the
// last separator; where it is too long, those that are left of it when it is cut.
func TestAppendText(t *testing.T) {
	vocab := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "##c", "d", "##d"}
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"a", "b", "d", "ac", "bcd", "x", " ", "[SEP]"}
	for range 300 {
		text := ""
		for range r.IntN(14) {
			text += words[r.IntN(len(words))] + " "
		}
		whole, err := New(vocab, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ids, _, err := whole.AppendPair(nil, nil, text, "")
		if err != nil {
			t.Fatal(err)
		}
		all := ids[1 : len(ids)-2]
		for _, side := range []Side{TruncateRight, TruncateLeft} {
			for _, strategy := range []Strategy{LongestFirst, OnlyFirst, DoNotTruncate} {
				length := 2 + r.IntN(12)
				o := Options{Truncation: Truncation{MaxLength: length, Side: side, Strategy: strategy}}
				cutting, err := New(vocab, o)
				if err != nil {
					t.Fatal(err)
				}
				got, types, err := cutting.AppendText([]int32{7}, []int32{1}, text)
				room := length - 2
				if strategy == DoNotTruncate && len(all) > room {
					if !errors.Is(err, ErrTooLong) || len(got) != 1 || len(types) != 1 {
						t.Errorf("%q in %d tokens: %d, %v", text, length, got, err)
					}
					continue
				}
				kept := all[:min(len(all), room)]
				if side == TruncateLeft {
					kept = all[len(all)-len(kept):]
				}
				want := slices.Concat([]int32{7, 2}, kept, []int32{3})
				if err != nil || !slices.Equal(got, want) || !slices.Equal(types, append([]int32{1}, make([]int32, len(kept)+2)...)) {
					t.Errorf("%q in %d tokens, %v, %v: %d %d, %v, want %d", text, length, side, strategy, got, types, err, want)
				}
			}
		}
	}
}

// A template for a single text that is not [CLS] text [SEP] is for nobody but those who have
// one.
func TestCheckText(t *testing.T) {
	const usual = `{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}`
	file := `{"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"a":3}},
		"added_tokens":[],"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},
		"post_processor":{"type":"TemplateProcessing","single":[SINGLE],"pair":[` + usual + `,{"Sequence":{"id":"B","type_id":1}},{"SpecialToken":{"id":"[SEP]","type_id":1}}],
		"special_tokens":{"[CLS]":{"id":"[CLS]","ids":[1],"tokens":["[CLS]"]},"[SEP]":{"id":"[SEP]","ids":[2],"tokens":["[SEP]"]}}}}`
	for single, good := range map[string]bool{
		usual: true,
		`{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}`: false,
		strings.ReplaceAll(usual, `"[CLS]"`, `"[SEP]"`):                                   false,
		strings.ReplaceAll(usual, `"type_id":0`, `"type_id":1`):                           false,
		"": false,
	} {
		tok, err := LoadFS(fstest.MapFS{"tokenizer.json": {Data: []byte(strings.Replace(file, "SINGLE", single, 1))}})
		if err != nil {
			t.Fatal(err)
		}
		if err := tok.CheckText(); (err == nil) != good {
			t.Errorf("%s: %v", single, err)
		}
	}
}
