package main

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// embedderDir is the tiny checkpoint as an embedder: means of unit length, and two prompts.
func embedderDir(t *testing.T) string {
	t.Helper()
	dir := tiny(t)
	for name, content := range map[string]string{
		"modules.json": `[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
			{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},{"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]`,
		"1_Pooling/config.json":             `{"embedding_dimension":32,"pooling_mode":"mean","include_prompt":true}`,
		"config_sentence_transformers.json": `{"prompts":{"query":"query: ","passage":""},"default_prompt_name":"query"}`,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestEmbed(t *testing.T) {
	dir, texts := embedderDir(t), append(passages(40), "", "with\ttab", "a")
	e, err := engine.Open(dir, engine.Embedder(), engine.Device("cpu"), engine.Precision("f32"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	want := func(opts ...engine.CallOption) (rows [][]float32) {
		all, err := e.Embed(t.Context(), nil, texts, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Collect(slices.Chunk(all, e.Info().Dimensions))
	}
	asked := [][]string{{"embed", "--model", dir}, {"embed", "--model", dir, "--prompt-name", "passage"}, {"embed", "--model", dir, "--prompt", "the "}}
	for i, opts := range [][]engine.CallOption{nil, {engine.PromptName("passage")}, {engine.Prompt("the ")}} {
		rows := want(opts...)
		asked[i] = append(asked[i], "--precision", "f32")
		got := lines(ok(t, strings.Join(texts, "\n")+"\n", asked[i]...))
		if len(got) != len(texts) {
			t.Fatalf("%q: %d lines, want %d", asked[i], len(got), len(texts))
		}
		for j, line := range got {
			var one struct{ Embedding []float32 }
			if err := json.Unmarshal([]byte(line), &one); err != nil || !slices.Equal(one.Embedding, rows[j]) {
				t.Errorf("%q: line %d: %s, %v, want %g", asked[i], j, line, err, rows[j])
			}
		}
		raw := []byte(ok(t, strings.Join(texts, "\r\n"), append(asked[i], "--format", "f32")...))
		flat := slices.Concat(rows...)
		if len(raw) != 4*len(flat) {
			t.Fatalf("%q: %d bytes, want %d values", asked[i], len(raw), len(flat))
		}
		for j, v := range flat {
			if got := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*j:])); got != v {
				t.Fatalf("%q: value %d is %g, want %g", asked[i], j, got, v)
			}
		}
	}
}

// A cross-encoder makes embeddings that nobody trained, and not without a word.
func TestEmbedWithoutModules(t *testing.T) {
	const says = "there is no modules.json to say how embeddings are made"
	if o := call(t, "a\n", "embed", "--model", tiny(t)); o.code != 0 || !strings.Contains(o.stderr, says) || len(lines(o.stdout)) != 1 {
		t.Errorf("%+v", o)
	}
	if o := call(t, "a\n", "embed", "--model", embedderDir(t)); o.code != 0 || strings.Contains(o.stderr, says) {
		t.Errorf("%+v", o)
	}
}

// A bad line stops nothing, and says which it is.
func TestEmbedLines(t *testing.T) {
	dir := embedderDir(t)
	o := call(t, "{\"id\":[7],\"text\":\"a\"}\n\n{\"text\":3}\n{\"passage\":\"a\"}\n", "embed", "--model", dir, "--jsonl")
	o.want(t, failed, "1 of 3 lines are in error, the first is line 3: ")
	got := lines(o.stdout)
	if len(got) != 3 || !strings.HasPrefix(got[0], `{"id":[7],"embedding":[`) || !strings.HasPrefix(got[1], `{"error":"line 3: `) || "{"+strings.TrimPrefix(got[0], `{"id":[7],`) != got[2] {
		t.Errorf("%q", got)
	}
	o = call(t, "{}\n{\"text\":\"a\"}\n", "embed", "--model", dir, "--jsonl", "--format", "f32")
	o.want(t, failed, "line 1: ")
	if len(o.stdout) != 2*4*32 || !math.IsNaN(float64(math.Float32frombits(binary.LittleEndian.Uint32([]byte(o.stdout))))) {
		t.Errorf("%d bytes", len(o.stdout))
	}
}

func TestEmbedRefuses(t *testing.T) {
	dir := embedderDir(t)
	call(t, "a\n", "embed").want(t, usage, "want --model")
	call(t, "", "embed", "x").want(t, usage, "texts come from standard input, or from a file with --input \"x\"")
	call(t, "{\"id\":1}\n", "embed", "--model", dir, "--jsonl").want(t, failed, `no "text"`)
	call(t, "{\"texts\":[]}\n", "embed", "--model", dir, "--jsonl").want(t, failed, `"texts": here each line is one text`)
	call(t, "a\n", "embed", "--model", dir, "--format", "npz").want(t, usage, `--format "npz"`)
	call(t, "a\n", "embed", "--model", dir, "--prompt-name", "none").want(t, failed, `no prompt "none"`)
	if err := os.WriteFile(filepath.Join(dir, "1_Pooling", "config.json"), []byte(`{"pooling_mode":"median"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	call(t, "a\n", "embed", "--model", dir).want(t, failed, `1_Pooling/config.json: pooling_mode: "median" is not supported`)
	// An incomplete one is told what it lacks, and not that it makes embeddings.
	if err := os.Remove(filepath.Join(dir, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	call(t, "a\n", "embed", "--model", dir).want(t, failed, "model.safetensors")
}
