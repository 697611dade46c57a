package tokenizer

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzAppendPair checks what holds for any two texts, settings and length.
func FuzzAppendPair(f *testing.F) {
	for _, text := range []string{
		"", "plain words", "Ünïcödé e\u0301\u0323 İ", "[SEP][MASK] <L>  <R>  big word", "中文 한국어 か\u3099", "a\xff\xfe\xe4\xb8",
		"\u0000\u200d\ufffd", "\U0001d15e\u1b44\u0301\u302e", strings.Repeat("a", 101), strings.Repeat("ab ", 40), "👩\u200d👩\u200d👧 🇩🇪", "BIG WORD<n>ÜN<n>\u3000ü",
	} {
		f.Add(text, text, uint16(16), uint8(3))
		f.Add("a query", text, uint16(512), uint8(8))
	}
	vocab := shippedVocab(f)
	no, yes := false, true
	added := []AddedToken{
		{Content: "[SEP]", Special: true}, {Content: "<L>", LStrip: true}, {Content: "<R>", RStrip: true, SingleWord: true}, {Content: " "},
		{Content: "Big Word", Normalized: true, SingleWord: true}, {Content: "Ü", Normalized: true}, {Content: "<n>", Normalized: true, LStrip: true, RStrip: true},
	}
	var tokenizers []*Tokenizer
	for _, o := range []Options{
		Uncased(),
		{CleanText: true, StripAccents: &yes},
		{Lowercase: true, StripAccents: &no, ChineseChars: true, MaxWordChars: 7},
		{},
		{Lowercase: true, CleanText: true, ChineseChars: true, Added: added},
	} {
		tok, err := New(vocab, o)
		if err != nil {
			f.Fatal(err)
		}
		tokenizers = append(tokenizers, tok)
	}
	f.Fuzz(func(t *testing.T, query, passage string, maxLength uint16, setting uint8) {
		tok := tokenizers[int(setting/2)%len(tokenizers)]
		tok, err := tok.Truncating(max(int(maxLength), specials), Side(setting%2))
		if err != nil {
			t.Fatal(err)
		}
		ids, types := tok.AppendPair([]int32{-7}, []int32{-8}, query, passage)
		if ids[0] != -7 || types[0] != -8 {
			t.Fatal("what was there is gone")
		}
		ids, types = ids[1:], types[1:]
		e := tok.Encode(query, passage)
		whole := tok.PairLength(query, passage)
		switch n := len(ids); {
		case len(types) != n || n < specials || n > tok.MaxLength() || n > whole:
			t.Fatalf("%d ids, %d types, at most %d, %d whole", n, len(types), tok.MaxLength(), whole)
		case !slices.Equal(e.IDs, ids) || !slices.Equal(e.Types, types):
			t.Fatalf("Encode: %d, AppendPair: %d", e.IDs, ids)
		case len(e.Tokens) != n || len(e.Offsets) != n:
			t.Fatalf("%d ids, %d tokens, %d offsets", n, len(e.Tokens), len(e.Offsets))
		case e.Truncated != (whole > tok.MaxLength()) || !e.Truncated && n != whole || e.Truncated && n != tok.MaxLength():
			t.Fatalf("%d ids of %d, at most %d, truncated %t", n, whole, tok.MaxLength(), e.Truncated)
		case ids[0] != tok.class || ids[n-1] != tok.separator || types[0] != 0 || types[n-1] != 1:
			t.Fatalf("ids %d, types %d", ids, types)
		}
		query1 := slices.Index(types, 1)
		if ids[query1-1] != tok.separator {
			t.Fatalf("no separator before the passage: %d", ids)
		}
		checkOffsets(t, e.Offsets[1:query1-1], query)
		checkOffsets(t, e.Offsets[query1:len(ids)-1], passage)
		for i, id := range ids {
			if id < 0 || int(id) >= tok.VocabSize() || e.Tokens[i] != tok.Token(id) {
				t.Fatalf("id %d is %q, of %d", id, e.Tokens[i], tok.VocabSize())
			}
		}
		// Invalid bytes count as U+FFFD.
		if !utf8.ValidString(query) || !utf8.ValidString(passage) {
			if valid, _ := tok.AppendPair(nil, nil, string([]rune(query)), string([]rune(passage))); !slices.Equal(valid, ids) {
				t.Fatalf("with U+FFFD: %d, without: %d", valid, ids)
			}
		}
	})
}

// checkOffsets checks that spans lie in the text, in order. (An added token may
// begin in the white space that the one before it took.)
func checkOffsets(t *testing.T, spans []Span, text string) {
	t.Helper()
	last := Span{}
	for _, s := range spans {
		if s.Start < 0 || s.End < s.Start || s.End > len(text) || s.Start < last.Start {
			t.Fatalf("span %d after %d, in a text of %d bytes", s, last, len(text))
		}
		last = s
	}
}

// FuzzLoad checks that no files make LoadFS panic or take memory out of
// proportion, and that what loads works.
func FuzzLoad(f *testing.F) {
	type change = [2]string
	for _, c := range []change{
		{"truncation", `null`}, {"truncation", `{"max_length": 5, "strategy": "LongestFirst", "direction": "Left"}`}, {"model/vocab/b", "2000000000"},
		{"model/max_input_chars_per_word", "65536"}, {"added_tokens/2/normalized", "true"}, {"normalizer/strip_accents", "false"},
		{"post_processor", `{"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[MASK]", 4]}`},
	} {
		f.Add([]byte(tinyJSON(f, c)), []byte(nil), []byte(`{"model_max_length": 9, "do_lower_case": true}`))
	}
	f.Add([]byte(nil), []byte(tinyVocab), []byte(`{"do_lower_case": false, "added_tokens_decoder": {"9": {"content": "<x>", "normalized": true}}, "cls_token": "a"}`))
	f.Add([]byte(nil), []byte("\r\n"), []byte(nil))
	f.Fuzz(func(t *testing.T, tokenizerJSON, vocab, config []byte) {
		files := memFS{}
		for name, data := range map[string][]byte{jsonFile: tokenizerJSON, vocabFile: vocab, configFile: config} {
			if len(data) > 0 {
				files[name] = string(data)
			}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		tok, err := LoadFS(files.fs())
		runtime.ReadMemStats(&after)
		if bytes, limit := after.TotalAlloc-before.TotalAlloc, uint64(4<<20+200*(len(tokenizerJSON)+len(vocab)+len(config))); bytes > limit {
			t.Errorf("%d bytes allocated, want at most %d", bytes, limit)
		}
		if err != nil {
			if tok != nil || !strings.HasPrefix(err.Error(), "tokenizer: ") {
				t.Errorf("%v, %v", tok, err)
			}
			return
		}
		e := tok.Encode("a query [SEP] é", "b 中 <new> \u0301x")
		if len(e.IDs) < specials || len(e.IDs) > tok.MaxLength() {
			t.Errorf("%d tokens, at most %d", len(e.IDs), tok.MaxLength())
		}
	})
}
