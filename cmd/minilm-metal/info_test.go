package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// info says, in words and in JSON, what set the length, what sentence-transformers puts on
// the logit, and what is odd about the files; score says the last on standard error, once.
func TestInfoSaysWhatTheFilesMean(t *testing.T) {
	dir := tiny(t)
	path := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{{`"sbert_ce_default_activation_function"`, `"finetuning_task"`}, {`"BertForSequenceClassification"`, `"BertForTokenClassification"`}} {
		data = bytes.Replace(data, []byte(change[0]), []byte(change[1]), 1)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	o := call(t, "", "info", "--model", dir, "--device", "reference")
	o.want(t, good, "BertForTokenClassification")
	for _, want := range []string{"64 tokens, tokenizer_config.json: model_max_length", "sigmoid in sentence-transformers", "BertForTokenClassification"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("info lacks %q:\n%s", want, o.stdout)
		}
	}
	var a about
	if err := json.Unmarshal([]byte(call(t, "", "info", "--model", dir, "--json", "--device", "reference").stdout), &a); err != nil {
		t.Fatal(err)
	}
	if m := &a.Model; m.Activation != "sigmoid" || m.MaxLengthFrom != "tokenizer_config.json: model_max_length" || len(m.Warnings) != 1 {
		t.Errorf("%+v", m)
	}
	o = call(t, pairLine(t, "a", "b")+pairLine(t, "c", "d"), "score", "--model", dir, "--device", "reference")
	o.want(t, good, "BertForTokenClassification")
	if n := strings.Count(o.stderr, "BertForTokenClassification"); n != 1 {
		t.Errorf("said %d times:\n%s", n, o.stderr)
	}
	// Raw logits stay raw, whatever the files ask for.
	plain := tiny(t)
	if got := ok(t, pairLine(t, "a", "b"), "score", "--model", plain, "--device", "reference"); !strings.HasPrefix(o.stdout, got) {
		t.Errorf("score %q, of the same model %q", o.stdout, got)
	}
}
