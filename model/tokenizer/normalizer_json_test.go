package tokenizer

import (
	"strings"
	"testing"
	"testing/fstest"
)

// Normalizers that are not read are refused by where in the file they are.
func TestNormalizerRefused(t *testing.T) {
	for _, test := range []struct{ normalizer, want string }{
		{`{}`, `normalizer: type "" is not supported, want BertNormalizer`},
		{`{"type": "Nmt"}`, `normalizer: type "Nmt" is not supported, want BertNormalizer`},
		{`{"type": "Sequence"}`, `normalizer.normalizers: want a list`},
		{`{"type": "Sequence", "normalizers": [{"type": "NFC"}, null]}`, `normalizer.normalizers[1]: type "" is not supported`},
		{`{"type": "Sequence", "normalizers": [{"type": "Sequence", "normalizers": [{"type": "ByteLevel"}]}]}`, `normalizer.normalizers[0].normalizers[0]: type "ByteLevel" is not supported`},
		{`{"type": "Sequence", "normalizers": [{"type": "BertNormalizer"}]}`, `normalizer.normalizers[0].clean_text: missing`},
		{`{"type": "Sequence", "normalizers": [` + strings.Repeat(`{"type": "NFC"},`, mostSteps) + `{"type": "NFC"}]}`, "normalizer: more than 64"},
		{`{"type": "Strip", "strip_left": true}`, `normalizer: want strip_left and strip_right`},
		{`{"type": "Prepend"}`, `normalizer.prepend: missing`},
		{`{"type": "Prepend", "prepend": "` + strings.Repeat("a", mostText+1) + `"}`, `normalizer.prepend: 1025 bytes, want at most 1024`},
		{`{"type": "Replace", "pattern": "a", "content": "b"}`, `normalizer: pattern: string, want an object`},
		{`{"type": "Replace", "pattern": {}, "content": "b"}`, `normalizer.pattern: want an object with "String" or "Regex"`},
		{`{"type": "Replace", "pattern": {"String": "a", "Regex": "a"}, "content": "b"}`, `normalizer.pattern: want an object`},
		{`{"type": "Replace", "pattern": {"String": ""}, "content": "b"}`, `normalizer.pattern.String: the empty text is not supported`},
		{`{"type": "Replace", "pattern": {"Regex": "a(?=b)"}, "content": "b"}`, `normalizer.pattern.Regex: has "(?=", which is not supported`},
		{`{"type": "Replace", "pattern": {"String": "a"}}`, `normalizer.content: missing`},
	} {
		tok, err := LoadFS(memFS{jsonFile: tinyJSON(t, [2]string{"normalizer", test.normalizer})}.fs())
		if err == nil || tok != nil || !strings.HasPrefix(err.Error(), "tokenizer: tokenizer.json: "+test.want) {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
}

// Where tokenizer_config.json says what BertTokenizer of transformers 5 does, that is done.
func TestConfigOverrulesNormalizer(t *testing.T) {
	lowered := `{"type": "Sequence", "normalizers": [{"type": "Lowercase"}, {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": false}]}`
	for _, c := range []struct {
		normalizer, config string
		text               string // what becomes of "Éa"
		warning            string // "" where there is none
	}{
		{lowered, `{"tokenizer_class": "BertTokenizer", "do_lower_case": false}`, "Éa",
			"tokenizer.json normalizes by Lowercase, BertNormalizer, and tokenizer_config.json has do_lower_case false: that goes first, as in transformers 5; version 4 goes by tokenizer.json"},
		{lowered, `{"do_lower_case": false, "strip_accents": true}`, "Ea", "has do_lower_case false, strip_accents true: that goes first"},
		{lowered, `{"do_lower_case": true, "strip_accents": false}`, "éa", ""},
		{lowered, `{"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": false}`, "éa", ""},
		{lowered, `{"tokenizer_class": "BertTokenizer"}`, "éa", "so do we, but BertTokenizer of transformers 5 does not look there"},
		{`null`, `{"do_lower_case": true}`, "ea", "tokenizer.json normalizes by none, and"},
		{`{"type": "NFC"}`, `{}`, "Éa", "tokenizer.json normalizes by NFC: so do we"},
		{`{"type": "NFD"}`, `{"tokenizer_class": "TokenizersBackend"}`, "E\u0301a", ""},
	} {
		tok, err := LoadFS(fstest.MapFS{jsonFile: {Data: []byte(tinyJSON(t, [2]string{"normalizer", c.normalizer}))}, configFile: {Data: []byte(c.config)}})
		if err != nil {
			t.Errorf("%s: %v", c.config, err)
			continue
		}
		steps := tok.steps
		if steps == nil {
			steps = []step{tok.chars}
		}
		if got := textOf(t, steps, "Éa"); got != c.text {
			t.Errorf("%s, %s: %q, want %q", c.normalizer, c.config, got, c.text)
		}
		var about []string
		for _, w := range tok.Warnings() {
			if strings.Contains(w, "normalizes by") {
				about = append(about, w)
			}
		}
		if (c.warning == "") != (len(about) == 0) || !strings.Contains(strings.Join(about, ""), c.warning) {
			t.Errorf("%s: warnings %q, want %q", c.config, about, c.warning)
		}
	}
}
