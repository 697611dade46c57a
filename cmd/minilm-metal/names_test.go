package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// The shell offers what a flag or an argument can be, and no files where none is meant.
func TestCompletions(t *testing.T) {
	home := t.TempDir()
	snapshot := filepath.Join(home, "hub", "models--some--model", "snapshots", strings.Repeat("a1", 20))
	if err := os.MkdirAll(snapshot, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for line, want := range map[string]string{
		"score --precision ":   "auto f32 bf16x3 f16 bf16 int8 f64",
		"bench --precision b":  "bf16x3 bf16",
		"verify --device ":     "auto cpu metal reference",
		"info --isa avx512":    "avx512 avx512vnni avx512bf16",
		"kernels --format ":    "f32 bf16x3 f16 bf16 int8",
		"synth --dtype ":       "f32 f16 bf16",
		"synth --layout ":      "plain published",
		"synth --kind ":        "ranker embedder labels",
		"pprof --sample ":      "time calls flops bytes",
		"pull ":                "cross-encoder/ms-marco-MiniLM-L-6-v2 some/model",
		"pull some/model ":     "",
		"convert ":             "some/model",
		"convert some/model ":  "",
		"rank --model ":        "some/model synthetic",
		"tokenize --model syn": "synthetic",
		"score ":               "",
		"bench --pairs ":       "",
		"bench --time-bound ":  "",
	} {
		words := strings.Split(line, " ")
		o := callIn(t, map[string]string{"HF_HOME": home}, "", append([]string{"__complete"}, words...)...)
		offered := strings.Fields(o.stdout)
		if o.code != good || len(offered) == 0 {
			t.Fatalf("%q: %+v", line, o)
		}
		directive := offered[len(offered)-1]
		offered = slices.DeleteFunc(offered[:len(offered)-1], func(s string) bool { return !strings.HasPrefix(s, words[len(words)-1]) })
		if got := strings.Join(offered, " "); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
		// A model may be a folder; nothing else here is a file.
		if files := directive == ":0"; files != (strings.Contains(line, "--model") || line == "convert ") {
			t.Errorf("%q: files are offered: %v", line, files)
		}
	}
}

// Every name that this build has is one that the flags know.
func TestNamesAreTheKernels(t *testing.T) {
	for _, v := range kernels.Variants() {
		f := engineFlags{device: "cpu", isa: v.ISA.String(), precision: v.Format.String()}
		if err := f.check(); err != nil {
			t.Error(err)
		}
	}
	sets := instructionSets()
	if _, err := kernels.ParseISA("nothing"); err == nil || len(sets) < 5 {
		t.Fatal(err)
	} else if n := strings.Count(err.Error(), `"`); n != 2*len(sets) { // each in quotes, and "nothing" in the place of auto
		t.Errorf("%v: %q", err, sets)
	}
}
