package peers

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

func TestPick(t *testing.T) {
	name := func(peers []Peer) (names []string) {
		for _, p := range peers {
			names = append(names, p.Name)
		}
		return names
	}
	all, err := Pick("", nil)
	if err != nil || !slices.Equal(name(all), Names("")) || len(all) < 10 {
		t.Errorf("%q, %v", name(all), err)
	}
	some, err := Pick("", []string{"openvino-int8", "onnxruntime", "openvino-f32"})
	if want := []string{"onnxruntime-f32", "onnxruntime-int8", "openvino-f32", "openvino-int8"}; err != nil || !slices.Equal(name(some), want) {
		t.Errorf("%q, %v, want %q", name(some), err, want)
	}
	// What only embeds is offered for that alone.
	if _, err := Pick("", []string{"fastembed"}); err == nil {
		t.Error("fastembed scores pairs")
	}
	if some, err := Pick(recording.TaskEmbed, []string{"fastembed", "sentence-transformers"}); err != nil || !slices.Equal(name(some), []string{"sentence-transformers-f32", "sentence-transformers-bf16", "fastembed-f32"}) {
		t.Errorf("%q, %v", name(some), err)
	}
	if _, err := Pick("", []string{"openvino", "opnevino"}); err == nil || !strings.Contains(err.Error(), `"opnevino": want one of sentence-transformers-f32, `) {
		t.Errorf("error %v", err)
	}
}

// Each peer has a script, and each module that a script imports is part of Python, a script, or
// pinned, so that the line that installs it can be named.
func TestScripts(t *testing.T) {
	dir := t.TempDir()
	all, err := Pick("", nil)
	if err != nil {
		t.Fatal(err)
	}
	embedders, err := Pick(recording.TaskEmbed, nil)
	if err != nil || len(embedders) < 10 {
		t.Fatalf("%d, %v", len(embedders), err)
	}
	all = append(all, embedders...)
	if err := Unpack(dir, "python", all); err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Command[0] != "python" || len(p.Command) != 3 {
			t.Errorf("%q", p.Command)
		} else if text, err := os.ReadFile(p.Command[2]); err != nil || !strings.Contains(string(text), "serve(Peer())") {
			t.Errorf("%s: %v", p.Name, err)
		} else if made := strings.Contains(string(text), "def prepare("); made != p.Prepares {
			t.Errorf("%s: prepares %v, its script %v", p.Name, p.Prepares, made)
		}
	}
	own := []string{"peer", "export", "embedding_onnx"}
	python := []string{"base64", "platform", "hashlib", "json", "os", "sys", "time", "traceback", "importlib", "concurrent", "multiprocessing"}
	imports := regexp.MustCompile(`(?m)^\s*(?:import|from) (\w+)`)
	files, err := filepath.Glob(filepath.Join(dir, "*.py"))
	if err != nil || len(files) != 11 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range imports.FindAllStringSubmatch(string(text), -1) {
			if module := m[1]; !slices.Contains(own, module) && !slices.Contains(python, module) && Pin("", module) == "" && Pin(recording.TaskEmbed, module) == "" {
				t.Errorf("%s imports %s, which no list pins", filepath.Base(file), module)
			}
		}
	}
	for module, want := range map[string]string{"sentence_transformers": "sentence-transformers==", "torch.nn": "torch==", "os": "", "": "", "optimum.intel": "optimum-intel==", "optimum.onnxruntime": "optimum-onnx==", "fastembed": "fastembed=="} {
		if got := Pin(recording.TaskEmbed, module); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", module, got, want)
		}
	}
	if e := Edition(); len(e) != 64 || e != Edition() {
		t.Errorf("edition %q", e)
	}
}
