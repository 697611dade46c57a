package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// encoderDir is embedderDir without a head for scores, so that it is an embedder by its kind.
func encoderDir(t *testing.T) string {
	t.Helper()
	dir := embedderDir(t)
	config := filepath.Join(dir, "config.json")
	text := strings.ReplaceAll(content(t, config), "BertForSequenceClassification", "BertModel")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// An embedder is measured by texts, because it is one or because somebody asks for embeddings;
// its report can be verified, and be compared with another.
func TestBenchEmbed(t *testing.T) {
	dir, model := t.TempDir(), encoderDir(t)
	texts := filepath.Join(dir, "texts.jsonl")
	if err := os.WriteFile(texts, []byte("{\"text\": \"a b\"}\n{\"query\": \"q\", \"documents\": [\"c d e\", \"f\"]}\n{\"passage\": \"g\"}\n{\"text\": \"h i\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	one, two := filepath.Join(dir, "1"), filepath.Join(dir, "2")
	args := []string{"bench", "--device", "cpu", "--precision", "f32", "--batch", "2", "--pairs", "20", "--time-bound", "10m", "--model", model}
	text := ok(t, "", append(args, "--dataset", texts, "--out", one)...)
	for _, want := range []string{"**Task:** `embed`", "| Texts |", "| 2 | 1 | 20 |", "1 - cosine to the float64 reference", "Note: The data set has 5 texts, fewer than the 20 asked for"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q:\n%s", want, text)
		}
	}
	ok(t, "", append(args[:len(args)-1], tiny(t), "--embed", "--dataset", texts, "--out", two)...)
	ok(t, "", "bench", "verify", one, two)
	if text := ok(t, "", "compare", one, two); !strings.Contains(text, "(texts/s)") || strings.Contains(text, "pairs/s") {
		t.Errorf("%s", text)
	}
	out := filepath.Join(dir, "none")
	for says, flags := range map[string][]string{
		"cannot be measured with an ablation":                  {"--ablate"},
		"cannot be measured with the accuracy on judged pairs": {"--accuracy", texts},
		"cannot be measured with a server":                     {"--url", "http://localhost:1"},
	} {
		with := []string{"bench", "--model", model, "--out", out}
		call(t, "", append(with, flags...)...).want(t, usage, says)
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%s: left something behind", says)
		}
	}
}
