package tokenizer

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/testdata"
)

// What tokenizer_config.json says beside what is read elsewhere: it changes nothing, is
// warned of, or is refused by its name.
func TestConfigKeys(t *testing.T) {
	data, err := fs.ReadFile(testdata.Tiny(), jsonFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ member, warns, refused string }{
		{`"max_length":16,"stride":4,"truncation_strategy":"only_first","padding":"max_length"`, "", ""},
		{`"cls_token":"[CLS]","sep_token":{"content":"[SEP]","lstrip":false},"bos_token":"x","pad_token":"[MASK]","chat_template":"{{x}}"`, "", ""},
		{`"split_special_tokens":false,"padding_side":"right","additional_special_tokens":[],"extra_special_tokens":{},"new_option":null`, "", ""},
		{`"additional_special_tokens":["[MASK]",{"content":"[PAD]"}],"extra_special_tokens":{"a":"[UNK]"}`, "", ""},
		{`"padding_side":"left"`, `tokenizer_config.json: padding_side is "left"`, ""},
		{`"lowercase_odd_words":true,"zz":1,"yy":1,"xx":1`, `tokenizer_config.json: what "lowercase_odd_words", "xx", "yy", ... means is not known here`, ""},
		{`"split_special_tokens":true`, "", "tokenizer_config.json: split_special_tokens true is not supported"},
		{`"cls_token":"[MASK]"`, "", `cls_token is "[MASK]", but tokenizer.json has "[CLS]"`},
		{`"sep_token":{"content":"[PAD]"}`, "", `sep_token is "[PAD]", but tokenizer.json has "[SEP]"`},
		{`"unk_token":"[PAD]"`, "", `unk_token is "[PAD]", but tokenizer.json has "[UNK]"`},
		{`"additional_special_tokens":["the"]`, "", `additional_special_tokens: "the" is not among the added tokens`},
		{`"extra_special_tokens":{"a":"the"}`, "", `extra_special_tokens: "the" is not among`},
		{`"extra_special_tokens":["the"]`, "", `extra_special_tokens: "the" is not among`},
		{`"model_specific_special_tokens":{"a":{"content":"the"}}`, "", `model_specific_special_tokens: "the" is not among`},
		{`"added_tokens_decoder":{"5":{"content":"the","special":true}}`, "", `added_tokens_decoder: "the" is not among`},
	} {
		tok, err := LoadFS(fstest.MapFS{jsonFile: {Data: data}, configFile: {Data: []byte("{" + c.member + "}")}})
		switch {
		case c.refused != "":
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: error %v, want one with %q", c.member, err, c.refused)
			}
		case err != nil:
			t.Errorf("%s: %v", c.member, err)
		case c.warns == "" && len(tok.Warnings()) > 0, c.warns != "" && !slices.ContainsFunc(tok.Warnings(), func(w string) bool { return strings.HasPrefix(w, c.warns) }):
			t.Errorf("%s: warnings %q, want one with %q", c.member, tok.Warnings(), c.warns)
		}
	}
}
