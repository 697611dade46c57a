package main

import (
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// The committed vocabulary is what this program writes, byte for byte.
func TestVocabularyIsUpToDate(t *testing.T) {
	file, err := os.ReadFile("../../vocab.txt")
	if err != nil {
		t.Fatal(err)
	}
	if string(file) != text(build()) {
		t.Error("vocab.txt differs from what genvocab writes: run go generate in model/synth")
	}
}

func TestLayoutIsBERTs(t *testing.T) {
	vocab := build()
	if len(vocab) != 30522 {
		t.Fatalf("%d entries, want 30522", len(vocab))
	}
	seen := map[string]bool{}
	for id, e := range vocab {
		switch {
		case seen[e]:
			t.Errorf("entry %d: %q appears twice", id, e)
		case e == "" || e == "##" && id < 100 || strings.ContainsFunc(e, unicode.IsSpace) || !utf8.ValidString(e):
			t.Errorf("entry %d: %q is no token", id, e)
		case strings.ToLower(e) != e && id > 103:
			t.Errorf("entry %d: %q has upper case", id, e)
		}
		seen[e] = true
	}
	for id, want := range map[int]string{0: "[PAD]", 1: "[unused0]", 99: "[unused98]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]", 104: "!"} {
		if vocab[id] != want {
			t.Errorf("entry %d is %q, want %q", id, vocab[id], want)
		}
	}
	for _, want := range []string{"a", "##z", "the", "##ing", "9", "##9", "é", "中", "ή", "я", "ש", "ص", "क", "ก", "あ", "ᄀ", "€", "→", "∑"} {
		if !seen[want] {
			t.Errorf("%q is missing", want)
		}
	}
}
