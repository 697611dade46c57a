package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
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

// info opens an embedder as one, and says of it what the modules, the prompts and the length
// are; a folder without a head and without modules, too.
func TestInfoOfEmbedder(t *testing.T) {
	cross, dir := tiny(t), embedderDir(t)
	if got := ok(t, "", "info", "--model", cross, "--device", "cpu", "--precision", "f32"); !strings.Contains(got, "cross-encoder, which") || strings.Contains(got, "embedding") {
		t.Errorf("of a cross-encoder:\n%s", got)
	}
	// The tiny checkpoint has a classifier: without it, nothing but embeddings can be meant.
	withoutHead(t, dir)
	got := ok(t, "", "info", "--model", dir, "--device", "cpu", "--precision", "f32")
	for _, want := range []string{"embedder, which", "32 values", "1. pooling: mean\n", "2. normalize: to length 1\n", "64 tokens, tokenizer_config.json: model_max_length",
		`"query": "query: ", the default, before every text`, `"passage": "", for --prompt-name`, "a longer text is cut, on the right", "cpu, f32,"} {
		if !strings.Contains(got, want) {
			t.Errorf("info lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "activation") || strings.Contains(got, "logit") {
		t.Errorf("of scores:\n%s", got)
	}
	var a about
	if err := json.Unmarshal([]byte(ok(t, "", "info", "--model", dir, "--json", "--device", "cpu")), &a); err != nil {
		t.Fatal(err)
	}
	if m := &a.Model; m.Kind != embedder || m.Dimensions != 32 || len(m.Modules) != 2 || m.Activation != "" || m.DefaultPrompt != "query" {
		t.Errorf("%+v", a)
	}
	for _, c := range a.Candidates { // there are none where there is no choice
		if c.Deviation == nil || c.Deviation.Of != "embeddings" {
			t.Errorf("%s is judged by %+v", c.Precision, c.Deviation)
		}
	}
	if err := os.Remove(filepath.Join(dir, "modules.json")); err != nil {
		t.Fatal(err)
	}
	o := call(t, "", "info", "--model", dir, "--device", "cpu")
	if o.want(t, good, "there is no modules.json"); !strings.Contains(o.stdout, "1. pooling: mean\n") || strings.Contains(o.stdout, "2. ") {
		t.Errorf("%s", o.stdout)
	}
}

// withoutHead puts other tensors in the place of the classifier of a checkpoint, if any.
func withoutHead(t *testing.T, dir string, others ...safetensors.Entry) {
	t.Helper()
	file, err := safetensors.OpenCheckpoint(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	left := others
	for _, name := range file.Names() {
		if one, _ := file.Lookup(name); !strings.HasPrefix(name, "classifier.") {
			left = append(left, safetensors.Entry{Name: name, DType: one.DType, Shape: one.Shape, Data: bytes.Clone(one.Data())})
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, left, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "model.safetensors"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
