package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// memFS is a folder of files, by name.
type memFS map[string]string

func (m memFS) fs() fs.FS {
	f := fstest.MapFS{}
	for name, text := range m {
		f[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return f
}

const tinyVocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##b\né\n"

// tinyJSON is a tokenizer.json over tinyVocab, with each row of changes (a path
// into it, a JSON value or "" to remove) made.
func tinyJSON(t testing.TB, changes ...[2]string) string {
	t.Helper()
	const text = `{
	"truncation": null,
	"padding": {"strategy": "BatchLongest", "direction": "Left", "pad_id": 0},
	"added_tokens": [
		{"id": 2, "content": "[CLS]", "special": true},
		{"id": 3, "content": "[SEP]", "special": true},
		{"id": 9, "content": "<new>", "rstrip": true}],
	"normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
	"pre_tokenizer": {"type": "BertPreTokenizer"},
	"post_processor": {"type": "TemplateProcessing",
		"pair": [
			{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
			{"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
			{"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
		"special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
	"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
		"vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "a": 5, "b": 6, "##b": 7, "é": 8}}}`
	var root any
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		keys := strings.Split(c[0], "/")
		at := root
		for _, key := range keys[:len(keys)-1] {
			if list, ok := at.([]any); ok {
				at = list[key[0]-'0']
			} else {
				at = at.(map[string]any)[key]
			}
		}
		object, last := at.(map[string]any), keys[len(keys)-1]
		if c[1] == "" {
			delete(object, last)
			continue
		}
		var v any
		if err := json.Unmarshal([]byte(c[1]), &v); err != nil {
			t.Fatal(c, err)
		}
		object[last] = v
	}
	data, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestLoad checks what loads, by what it makes of a pair.
func TestLoad(t *testing.T) {
	type change = [2]string
	const query, passage = "Ab é [MASK]", "b <new>  [SEP]"
	for _, test := range []struct {
		name  string
		files memFS
		ids   []int32
		max   int
		side  Side
	}{
		{"tokenizer.json", memFS{jsonFile: tinyJSON(t)},
			[]int32{2, 5, 7, 1, 1, 1, 1, 3, 6, 9, 3, 3}, NoLimit, TruncateRight},
		{"tokenizer_config.json's", memFS{jsonFile: tinyJSON(t), configFile: `{"model_max_length": 9, "truncation_side": "left", "do_lower_case": true}`},
			[]int32{2, 1, 1, 1, 3, 6, 9, 3, 3}, 9, TruncateLeft},
		{"no model_max_length", memFS{jsonFile: tinyJSON(t), configFile: `{"model_max_length": 1000000000000000019884624838656}`},
			[]int32{2, 5, 7, 1, 1, 1, 1, 3, 6, 9, 3, 3}, NoLimit, TruncateRight},
		{"no model type, as in 2020", memFS{jsonFile: tinyJSON(t, change{"model/type", ""})},
			[]int32{2, 5, 7, 1, 1, 1, 1, 3, 6, 9, 3, 3}, NoLimit, TruncateRight},
		{"BertProcessing", memFS{jsonFile: tinyJSON(t, change{"post_processor", `{"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[MASK]", 4]}`})},
			[]int32{4, 5, 7, 1, 1, 1, 1, 3, 6, 9, 3, 3}, NoLimit, TruncateRight},
		{"accents kept", memFS{jsonFile: tinyJSON(t, change{"normalizer/strip_accents", "false"})},
			[]int32{2, 5, 7, 8, 1, 1, 1, 3, 6, 9, 3, 3}, NoLimit, TruncateRight},
		{"a class that goes by tokenizer.json", memFS{jsonFile: tinyJSON(t, change{"normalizer/strip_accents", "false"}),
			configFile: `{"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": false, "tokenize_chinese_chars": false, "strip_accents": true}`},
			[]int32{2, 5, 7, 8, 1, 1, 1, 3, 6, 9, 3, 3}, NoLimit, TruncateRight},
		{"names in other letters are other names", memFS{jsonFile: tinyJSON(t), configFile: `{"Model_Max_Length": 9, "Truncation_Side": "left", "DO_LOWER_CASE": false, "max_len": 20, "ſep_token": "a"}`},
			[]int32{2, 5, 7, 1, 1, 1, 1, 3, 6, 9, 3, 3}, 20, TruncateRight},
		{"vocab.txt alone", memFS{vocabFile: tinyVocab},
			[]int32{2, 5, 7, 1, 4, 3, 6, 1, 1, 1, 3, 3}, NoLimit, TruncateRight},
		{"CRLF", memFS{vocabFile: strings.ReplaceAll(tinyVocab, "\n", "\r\n")},
			[]int32{2, 5, 7, 1, 4, 3, 6, 1, 1, 1, 3, 3}, NoLimit, TruncateRight},
		{"no line end at the end", memFS{vocabFile: strings.TrimSuffix(tinyVocab, "\n")},
			[]int32{2, 5, 7, 1, 4, 3, 6, 1, 1, 1, 3, 3}, NoLimit, TruncateRight},
		{"cased, with names and an added token", memFS{vocabFile: tinyVocab + "Ab\n",
			configFile: `{"do_lower_case": false, "tokenizer_class": "BertTokenizerFast", "tokenize_chinese_chars": false, "model_max_length": 64,
				"added_tokens_decoder": {"10": {"content": "<new>", "rstrip": true}, "3": {"content": "[SEP]", "special": true}}}`,
			specialsFile: `{"cls_token": {"content": "a", "special": true}, "sep_token": "[SEP]", "pad_token": null, "additional_special_tokens": ["é"]}`},
			[]int32{5, 9, 8, 4, 3, 6, 10, 3, 3}, 64, TruncateRight},
		{"accents kept by tokenizer_config.json", memFS{vocabFile: tinyVocab, configFile: `{"strip_accents": false, "do_basic_tokenize": true, "never_split": null}`},
			[]int32{2, 5, 7, 8, 4, 3, 6, 1, 1, 1, 3, 3}, NoLimit, TruncateRight},
		{"paths are not followed", memFS{vocabFile: tinyVocab, configFile: `{"vocab_file": "/etc/passwd", "tokenizer_file": "../../x", "name_or_path": "/", "special_tokens_map_file": "../y"}`},
			[]int32{2, 5, 7, 1, 4, 3, 6, 1, 1, 1, 3, 3}, NoLimit, TruncateRight},
	} {
		t.Run(test.name, func(t *testing.T) {
			tok, err := LoadFS(test.files.fs())
			if err != nil {
				t.Fatal(err)
			}
			e := encode(t, tok, query, passage)
			if !slices.Equal(e.IDs, test.ids) || tok.MaxLength() != test.max || tok.truncation.Side != test.side {
				t.Errorf("%q %d, at most %d, side %d; want %d, %d, %d", e.Tokens, e.IDs, tok.MaxLength(), tok.truncation.Side, test.ids, test.max, test.side)
			}
		})
	}
}

// manyTokens are the members of a vocabulary of n tokens.
func manyTokens(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `,"%d":%d`, i, i)
	}
	return text.String()[1:]
}

// TestLoadRefuses checks that bad files get an error that says what is wrong.
func TestLoadRefuses(t *testing.T) {
	type change = [2]string
	with := func(c ...change) memFS { return memFS{jsonFile: tinyJSON(t, c...)} }
	for _, test := range []struct {
		files memFS
		want  string
	}{
		{memFS{}, "neither tokenizer.json nor vocab.txt"},
		{memFS{jsonFile: ""}, "tokenizer.json: byte 0: unexpected EOF"},
		{memFS{jsonFile: "null"}, "tokenizer.json: byte 4: null, want an object"},
		{memFS{jsonFile: "[1]"}, "tokenizer.json: byte 1: [, want an object"},
		{memFS{jsonFile: "{}"}, "tokenizer.json: model: missing, want WordPiece"},
		{memFS{jsonFile: `{"a":` + strings.Repeat("[", 20000)}, "tokenizer.json: \"a\": byte 132: more than 127 objects and arrays in each other"},
		{memFS{jsonFile: `{"a":[` + strings.Repeat("0,", maxValues) + `0]}`}, "tokenizer.json: byte 262146: more than 131072 values"},
		{memFS{jsonFile: `{"model":{"vocab":{` + manyTokens(maxVocab+1) + `}}}`}, `"vocab": "524288": byte 8166416: more than 524288 tokens`},
		{memFS{jsonFile: `{"model":{},"model":{}}`}, `tokenizer.json: "model": byte 20: duplicate key`},
		{memFS{jsonFile: `{"model":{"vocab":{},"vocab":{}}}`}, `tokenizer.json: "model": "vocab": byte 29: duplicate key`},
		{memFS{jsonFile: `{"model":{"vocab":{"\ud800":0}}}`}, `the escape of half a surrogate pair`},
		{memFS{jsonFile: `{"model":{"type":"Unigram","vocab":[["a",0.5]]}}`}, `type "Unigram" is not supported, want WordPiece`},
		{memFS{jsonFile: `{"a": "` + "\xff" + `"}`}, "tokenizer.json: not UTF-8"},
		{memFS{jsonFile: "version https://git-lfs.github.com/spec/v1\noid sha256:00\n"}, "tokenizer.json: a git-lfs pointer, not the file itself: run git lfs pull"},
		{memFS{jsonFile: tinyJSON(t), configFile: "version https://git-lfs.github.com/spec/v1\n"}, "tokenizer_config.json: a git-lfs pointer"},
		{memFS{vocabFile: "version https://git-lfs.github.com/spec/v1\n"}, "vocab.txt: a git-lfs pointer"},
		{memFS{vocabFile: tinyVocab, specialsFile: "version https://git-lfs.github.com/spec/v1\n"}, "special_tokens_map.json: a git-lfs pointer"},
		{memFS{vocabFile: tinyVocab, addedFile: "version https://git-lfs.github.com/spec/v1\n"}, "added_tokens.json: a git-lfs pointer"},
		{with(change{"model/type", `"BPE"`}), `"model": "type": type "BPE" is not supported, want WordPiece`},
		{with(change{"model/type", ``}, change{"model/max_input_chars_per_word", ``}), `model: type "" is not supported`},
		{with(change{"model/unk_token", `null`}), "model.unk_token: missing"},
		{with(change{"model/unk_token", `"<unk>"`}), "vocabulary of 9 tokens has no <unk>"},
		{with(change{"model/unk_token", `"<new>"`}), "vocabulary of 9 tokens has no <new>"},
		{with(change{"model/continuing_subword_prefix", `""`}), "model.continuing_subword_prefix"},
		{with(change{"model/max_input_chars_per_word", `0`}), "model.max_input_chars_per_word"},
		{with(change{"model/max_input_chars_per_word", `1e15`}), "max_input_chars_per_word"},
		{with(change{"model/vocab", `["a"]`}), `"vocab": byte 274: [, want an object`},
		{with(change{"model/vocab", ``}), "model.vocab: want an object"},
		{with(change{"model/vocab", `{}`}), "model.vocab: want an object"},
		{with(change{"model/vocab/b", `5`}), `"vocab": "b": byte 344: id 5 is that of token "a", too`},
		{with(change{"model/vocab/b", `9`}), `"vocab": "b": byte 344: id 9, want one below 9, the number of tokens`},
		{with(change{"model/vocab/b", `2000000000`}), `"vocab": "b": byte 353: id 2000000000, want one below 9`},
		{with(change{"model/vocab/b", `-1`}), `"vocab": "b": byte 345: number -1, want an integer`},
		{with(change{"model/vocab/b", `5.5`}), `"vocab": "b": byte 346: number 5.5, want an integer`},
		{with(change{"model/vocab/b", `"6"`}), `"vocab": "b": byte 346: string "6", want an integer`},
		{with(change{"model/vocab/b", ``}, change{"model/vocab/", `6`}), `"vocab": "": byte 278: id 6 is the empty token`},
		{with(change{"added_tokens/2/id", `12`}), `added_tokens: token "<new>": id 12, want 9`},
		{with(change{"added_tokens/2/id", `-1`}), `added_tokens: token "<new>": id -1`},
		{with(change{"added_tokens/1/id", `4`}), `added_tokens: token "[SEP]": id 4, want 3`},
		{with(change{"added_tokens/2/content", `"[SEP]"`}, change{"added_tokens/2/id", `3`}), `added token "[SEP]" is there twice`},
		{with(change{"added_tokens/2/content", `""`}), `added token ""`},
		{with(change{"added_tokens/2/content", `"\u200b"`}, change{"added_tokens/2/normalized", `true`}), "nothing is left of it"},
		{with(change{"normalizer/lowercase", ``}), "normalizer.lowercase: missing"},
		{with(change{"normalizer/lowercase", `1`}), "normalizer: lowercase: number, want true or false"},
		{with(change{"pre_tokenizer/type", `"Whitespace"`}), `pre_tokenizer: type "Whitespace" is not supported, want BertPreTokenizer`},
		{with(change{"post_processor", `null`}), "post_processor: missing"},
		{with(change{"post_processor/type", `"RobertaProcessing"`}), `post_processor: type "RobertaProcessing" is not supported`},
		{with(change{"post_processor/pair", `[{"Sequence": {"id": "A", "type_id": 0}}]`}), "post_processor.pair: want the template"},
		{with(change{"post_processor/special_tokens/[CLS]/ids", `[3]`}), `post_processor.special_tokens.[CLS]: token "[CLS]" with id 3 is not in the vocabulary`},
		{with(change{"post_processor/special_tokens/[CLS]/ids", `[2, 2]`}), "post_processor.special_tokens.[CLS]: 2 ids, want one"},
		{with(change{"post_processor", `{"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 30]}`}), `post_processor.cls: token "[CLS]" with id 30`},
		{with(change{"truncation", `{"max_length": 5, "strategy": "LongestFirst", "direction": "Up"}`}), `truncation.direction: "Up"`},
		{memFS{jsonFile: tinyJSON(t), configFile: `{"do_lower_case": false}`}, "tokenizer_config.json: do_lower_case is false, but tokenizer.json has true"},
		{memFS{jsonFile: tinyJSON(t), configFile: `{"strip_accents": false}`}, "tokenizer_config.json: strip_accents is false"},
		{memFS{jsonFile: tinyJSON(t), configFile: `{`}, "tokenizer_config.json: byte 1: unexpected EOF"},
		{memFS{jsonFile: tinyJSON(t), configFile: `[` + strings.Repeat("0,", maxValues) + `0]`}, "tokenizer_config.json: byte 262143: more than 131072 values"},
		{memFS{vocabFile: ""}, "vocab.txt: empty"},
		{memFS{vocabFile: "\n"}, "vocab.txt: empty"},
		{memFS{vocabFile: tinyVocab + "\nx\n"}, "vocab.txt: line 10 is empty"},
		{memFS{vocabFile: tinyVocab + "a\n"}, `vocab.txt: vocabulary: ids 5 and 9 are both "a"`},
		{memFS{vocabFile: strings.Repeat("a\n", maxVocab+1)}, "vocab.txt: 524289 lines, want at most 524288"},
		{memFS{vocabFile: tinyVocab + "\xff\n"}, "vocab.txt: not UTF-8"},
		{memFS{vocabFile: strings.Replace(tinyVocab, "[UNK]", "x", 1)}, "tokenizer: vocab.txt: vocabulary of 9 tokens has no [UNK]"},
		{memFS{vocabFile: strings.Replace(tinyVocab, "[SEP]", "x", 1)}, "tokenizer: vocab.txt: vocabulary of 9 tokens has no [SEP]"},
		{memFS{vocabFile: tinyVocab, configFile: `{"tokenizer_class": "RobertaTokenizer"}`}, `tokenizer_config.json: tokenizer_class "RobertaTokenizer", want BertTokenizer`},
		{memFS{vocabFile: tinyVocab, configFile: `{"do_basic_tokenize": false}`}, "tokenizer_config.json: do_basic_tokenize"},
		{memFS{vocabFile: tinyVocab, configFile: `{"do_lower_case": "yes"}`}, "tokenizer_config.json: do_lower_case: string, want true or false"},
		{memFS{vocabFile: tinyVocab, configFile: `{"model_max_length": 1}`}, "tokenizer_config.json: model_max_length 1, want a whole number from 2"},
		{memFS{vocabFile: tinyVocab, configFile: `{"model_max_length": -1e30}`}, "tokenizer_config.json: model_max_length -1e30"},
		{memFS{vocabFile: tinyVocab, configFile: `{"model_max_length": 8.5}`}, "tokenizer_config.json: model_max_length 8.5"},
		{memFS{vocabFile: tinyVocab, configFile: `{"model_max_length": "64"}`}, `tokenizer_config.json: model_max_length "64", want a whole number from 2`},
		{memFS{vocabFile: tinyVocab, configFile: `{"max_len": 0}`}, "tokenizer_config.json: max_len 0, want a whole number from 2"},
		{memFS{vocabFile: tinyVocab, configFile: `{"model_input_names": "input_ids"}`}, `tokenizer_config.json: model_input_names "input_ids", want a list`},
		{memFS{vocabFile: tinyVocab, configFile: `{"model_input_names": null}`}, "tokenizer_config.json: model_input_names null, want a list"},
		{memFS{jsonFile: tinyJSON(t), configFile: `{"tokenizer_class": "RobertaTokenizer"}`}, `tokenizer_config.json: tokenizer_class "RobertaTokenizer", want BertTokenizer`},
		{memFS{vocabFile: tinyVocab, configFile: `{"truncation_side": null}`}, "tokenizer_config.json: truncation_side null"},
		{memFS{vocabFile: tinyVocab, configFile: `{"truncation_side": "top"}`}, `tokenizer_config.json: truncation_side "top"`},
		{memFS{vocabFile: tinyVocab, configFile: `{"added_tokens_decoder": {"x": {"content": "b"}}}`}, `added_tokens_decoder: id "x"`},
		{memFS{vocabFile: tinyVocab, configFile: `{"added_tokens_decoder": {"30522": {"content": "<x>"}}}`}, `added_tokens_decoder: token "<x>": id 30522, want 9`},
		{memFS{vocabFile: tinyVocab, addedFile: `{"<x>": 9}`}, "added_tokens.json is not supported beside vocab.txt"},
		{memFS{vocabFile: tinyVocab, specialsFile: `{"cls_token": 3}`}, "special_tokens_map.json: cls_token: number, want a string or an object"},
	} {
		tok, err := LoadFS(test.files.fs())
		if err == nil || !strings.Contains(err.Error(), test.want) || tok != nil ||
			!strings.HasPrefix(err.Error(), "tokenizer: ") || strings.Contains(err.Error(), ": tokenizer: ") {
			t.Errorf("error %v, want %q in it", err, test.want)
		}
	}
	if _, err := LoadFS(memFS{}.fs()); !errors.Is(err, ErrNoFiles) {
		t.Errorf("%v is not ErrNoFiles", err)
	}
}

// endless is a file of spaces that does not say how long it is, or has grown since.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	copy(p, bytes.Repeat([]byte(" "), len(p)))
	return len(p), nil
}
func (e *endless) Stat() (fs.FileInfo, error) { return fileSize(0), nil } // as of /proc
func (e *endless) Close() error               { return nil }

// sized says only how long it is.
type sized struct {
	endless
	size int64
}

func (s *sized) Stat() (fs.FileInfo, error) { return fileSize(s.size), nil }

type fileSize int64

func (fileSize) Name() string       { return "" }
func (s fileSize) Size() int64      { return int64(s) }
func (fileSize) Mode() fs.FileMode  { return 0 }
func (fileSize) ModTime() time.Time { return time.Time{} }
func (fileSize) IsDir() bool        { return false }
func (fileSize) Sys() any           { return nil }

type oneFile struct {
	name string
	file fs.File
}

func (o oneFile) Open(name string) (fs.File, error) {
	if name != o.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return o.file, nil
}

// TestLoadIsBounded checks that a file too long for what it should be is not read.
func TestLoadIsBounded(t *testing.T) {
	for name, limit := range map[string]int64{jsonFile: maxVocabBytes, vocabFile: maxVocabBytes, configFile: maxConfigBytes} {
		e := &endless{}
		if _, err := LoadFS(oneFile{name, e}); err == nil || !strings.Contains(err.Error(), name+": too large: more than ") {
			t.Errorf("%s without an end: %v", name, err)
		}
		if e.read > 2*limit {
			t.Errorf("%s: %d bytes read", name, e.read)
		}
		s := &sized{size: 1 << 30}
		if _, err := LoadFS(oneFile{name, s}); err == nil || !strings.Contains(err.Error(), name+": too large: 1073741824 bytes, at most ") {
			t.Errorf("%s of 1 GiB: %v", name, err)
		}
		if s.read != 0 {
			t.Errorf("%s of 1 GiB: %d bytes read", name, s.read)
		}
	}
}
