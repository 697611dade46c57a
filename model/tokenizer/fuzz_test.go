package tokenizer

import (
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// longestFuzzed bounds each of the inputs that are looked at, in bytes: go test makes
// what reaches something new smaller by trying all of its parts, quadratically many. A
// word of more than 100 letters, which is none, has room.
const longestFuzzed = 130

// FuzzAppendPair checks what holds for any two texts, settings and length.
func FuzzAppendPair(f *testing.F) {
	for _, text := range []string{
		"", "plain words", "Ünïcödé e\u0301\u0323 İ", "[SEP][MASK] <L>  <R>  big word", "中文 한국어 か\u3099", "a\xff\xfe\xe4\xb8",
		"\u0000\u200d\ufffd", "\U0001d15e\u1b44\u0301\u302e", strings.Repeat("a", 101), strings.Repeat("ab ", 20), "👩\u200d👩\u200d👧 🇩🇪", "BIG WORD<n>ÜN<n>\u3000ü",
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
	for _, normalizer := range []string{
		`{"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}, {"type": "StripAccents"}]}`,
		`{"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Replace", "pattern": {"Regex": "[^\\w\\s]+|a{2}"}, "content": " b "}, {"type": "Strip", "strip_left": true, "strip_right": true},
			{"type": "Prepend", "prepend": "_"}, {"type": "NFC"}]}`,
	} {
		tokenizers = append(tokenizers, withNormalizer(f, normalizer))
	}
	f.Fuzz(func(t *testing.T, query, passage string, maxLength uint16, setting uint8) {
		if max(len(query), len(passage)) > longestFuzzed {
			return
		}
		tok := tokenizers[int(setting/2)%len(tokenizers)]
		strategy := Strategy(int(setting/2) / len(tokenizers) % len(strategies))
		tok, err := tok.Truncating(Truncation{max(int(maxLength), specials), Side(setting % 2), strategy})
		if err != nil {
			t.Fatal(err)
		}
		whole := tok.PairLength(query, passage)
		ids, types, err := tok.AppendPair([]int32{-7}, []int32{-8}, query, passage)
		if ids[0] != -7 || types[0] != -8 {
			t.Fatal("what was there is gone")
		}
		if err != nil {
			if _, again := tok.Encode(query, passage); len(ids) != 1 || len(types) != 1 || strategy == LongestFirst || whole <= tok.MaxLength() || again == nil || again.Error() != err.Error() {
				t.Fatalf("%v of %d tokens: %v, and of Encode %v; %d, %d", strategy, whole, err, again, ids, types)
			}
			return
		}
		ids, types = ids[1:], types[1:]
		e := encode(t, tok, query, passage)
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
		if strategy == LongestFirst {
			checkShorter(t, tok, query, passage, len(ids))
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
			if valid, _ := appendPair(t, tok, nil, nil, string([]rune(query)), string([]rune(passage))); !slices.Equal(valid, ids) {
				t.Fatalf("with U+FFFD: %d, without: %d", valid, ids)
			}
		}
	})
}

// checkShorter checks that a pair of n tokens, cut to any length below, keeps the first
// or the last tokens of each text, one token less at a time.
func checkShorter(t *testing.T, tok *Tokenizer, query, passage string, n int) {
	t.Helper()
	last, lastTypes := appendPair(t, tok, nil, nil, query, passage)
	for most := min(n, 24) - 1; most >= specials; most-- {
		tok, err := tok.Truncating(Truncation{MaxLength: most, Side: tok.Truncation().Side})
		if err != nil {
			t.Fatal(err)
		}
		ids, types := appendPair(t, tok, nil, nil, query, passage)
		if len(ids) != most {
			t.Fatalf("%d tokens, want %d", len(ids), most)
		}
		n1, n2 := slices.Index(types, 1)-2, len(types)-slices.Index(types, 1)-1
		o1, o2 := slices.Index(lastTypes, 1)-2, len(lastTypes)-slices.Index(lastTypes, 1)-1
		if n1 > o1 || n2 > o2 {
			t.Fatalf("%d and %d tokens of %d, %d and %d of more", n1, n2, most, o1, o2)
		}
		from1, from2 := 1, o1+2
		if tok.Truncation().Side == TruncateLeft {
			from1, from2 = from1+o1-n1, from2+o2-n2
		}
		if !slices.Equal(ids[1:1+n1], last[from1:from1+n1]) || !slices.Equal(ids[n1+2:n1+2+n2], last[from2:from2+n2]) {
			t.Fatalf("at most %d: %d, and %d where more is allowed", most, ids, last)
		}
		last, lastTypes = ids, types
	}
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
// proportion, and that what loads works. A whole tokenizer.json is too long to change
// byte by byte with any hope, so it is one value of a good one that is.
func FuzzLoad(f *testing.F) {
	parts := []string{"truncation", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "model", "model/vocab", "model/vocab/b", "model/type",
		"model/unk_token", "model/continuing_subword_prefix", "model/max_input_chars_per_word", "added_tokens/2/content", "added_tokens/2/normalized", "added_tokens/1/id",
		"normalizer/strip_accents", "post_processor/pair", "post_processor/special_tokens"}
	// And these, within a normalizer.
	inside := map[string]string{
		"one of several": `{"type": "Sequence", "normalizers": [{"type": "NFC"}, "<here>", {"type": "Lowercase"}]}`,
		"Regex":          `{"type": "Replace", "pattern": {"Regex": "<here>"}, "content": "b "}`,
		"String":         `{"type": "Replace", "pattern": {"String": "<here>"}, "content": "b "}`,
	}
	parts = append(parts, "one of several", "Regex", "String")
	var files [][2]string // a good tokenizer.json before and after each part
	for _, part := range parts {
		change := [2]string{part, `"<here>"`}
		if inside[part] != "" {
			change = [2]string{"normalizer", inside[part]}
		}
		before, after, ok := strings.Cut(tinyJSON(f, change), `"<here>"`)
		if !ok && !strings.Contains(before, `\u003chere\u003e`) {
			f.Fatalf("%s is not in %s", part, before)
		}
		if !ok { // as encoding/json writes it
			before, after, _ = strings.Cut(before, `"\u003chere\u003e"`)
		}
		files = append(files, [2]string{before, after})
	}
	add := func(part, value, config string) { f.Add(uint8(slices.Index(parts, part)), value, "", config, "", "") }
	add("truncation", `null`, `{"model_max_length": 9, "do_lower_case": true}`)
	add("truncation", `{"max_length": 5, "strategy": "LongestFirst", "direction": "Left"}`, "")
	add("model/vocab/b", "2000000000", "")
	add("model/vocab", `{"[UNK]":0,"[CLS]":2,"[SEP]":3,"a":1}`, `{"truncation_side":"left"}`)
	add("model/max_input_chars_per_word", "65536", "")
	add("added_tokens", `[{"id":9,"content":"\u00a0x","normalized":true,"lstrip":true}]`, "")
	add("added_tokens/2/normalized", "true", "")
	add("normalizer/strip_accents", "false", `{"strip_accents":false}`)
	add("normalizer", `null`, `{"tokenizer_class": "BertTokenizer", "do_lower_case": false}`)
	add("normalizer", `{"type": "Sequence", "normalizers": [{"type": "NFKD"}, {"type": "StripAccents"}]}`, `{"do_lower_case": true}`)
	add("normalizer", `{"normalizers": [{"type": "Sequence", "normalizers": []}], "type": "Sequence"}`, "")
	add("one of several", `{"type": "Strip", "strip_left": true, "strip_right": false}`, "")
	add("one of several", `{"type": "Prepend", "prepend": "\u2581"}`, "")
	add("one of several", `{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}`, "")
	for _, pattern := range []string{`\\s+`, `^[^\\w\\d]{1,3}?|(a|b\\-)+$`, `[a-z&&b]`, `(?:.)\\z`, `\\u00e9`, `a{9}{9}`} {
		add("Regex", `"`+pattern+`"`, "")
	}
	add("String", `"\u0301"`, "")
	add("post_processor", `{"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[MASK]", 4]}`, "")
	f.Add(uint8(255), "", tinyVocab, `{"do_lower_case": false, "added_tokens_decoder": {"9": {"content": "<x>", "normalized": true}}, "cls_token": "a"}`, "", "")
	f.Add(uint8(255), `{"model":{"type":"WordPiece"}}`, "\r\n", "", "", "")
	f.Add(uint8(255), "", tinyVocab, "", `{"cls_token":"a","additional_special_tokens":["é"]}`, `{}`)
	f.Add(uint8(255), "", tinyVocab, "", `{"unk_token":null}`, `{"<x>":9}`)
	f.Fuzz(func(t *testing.T, part uint8, value, vocab, config, specialNames, added string) {
		if max(len(value), len(vocab), len(config), len(specialNames), len(added)) > longestFuzzed {
			return
		}
		tokenizerJSON := value
		if int(part) < len(files) {
			tokenizerJSON = files[part][0] + value + files[part][1]
		}
		dir := memFS{}
		for name, text := range map[string]string{jsonFile: tokenizerJSON, vocabFile: vocab, configFile: config, specialsFile: specialNames, addedFile: added} {
			if len(text) > 0 {
				dir[name] = text
			}
		}
		allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}} // MemStats would stop the world
		metrics.Read(allocated)
		before := allocated[0].Value.Uint64()
		tok, err := LoadFS(dir.fs())
		metrics.Read(allocated)
		if bytes := allocated[0].Value.Uint64() - before; bytes > 4<<20 {
			t.Errorf("%d bytes allocated for files of some hundred", bytes)
		}
		if err != nil {
			if tok != nil || !strings.HasPrefix(err.Error(), "tokenizer: ") || len(err.Error()) > 3000 {
				t.Errorf("%v, %v", tok, err)
			}
			return
		}
		e := encode(t, tok, "a query [SEP] é", "b 中 <new> \u0301x")
		if len(e.IDs) < specials || len(e.IDs) > tok.MaxLength() {
			t.Errorf("%d tokens, at most %d", len(e.IDs), tok.MaxLength())
		}
		for _, id := range e.IDs {
			if back, ok := tok.ID(tok.Token(id)); !ok || back != id {
				t.Errorf("id %d is %q, which is %d", id, tok.Token(id), back)
			}
		}
	})
}
