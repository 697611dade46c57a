package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// similaritiesFile writes the similarities of an embedder, as the reference computes them for
// the published texts, as --scores has them; each with more.
func similaritiesFile(t *testing.T, dir string, more float64) string {
	t.Helper()
	published, err := testdata.PublishedSimilarities()
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(dir, engine.Embedder(), engine.Device("reference"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ours, err := similarities(t.Context(), e, published)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	for i, s := range published {
		if err := json.NewEncoder(&file).Encode(map[string]any{"query": s.Query, "passage": s.Passage, "score": float64(ours[i]) + more}); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "similarities.jsonl")
	if err := os.WriteFile(name, file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// An embedder is held to similarities; of one whose weights nobody published any of, it is said
// so, and of a classifier, too.
func TestVerifyEmbedder(t *testing.T) {
	dir := embedderDir(t)
	withoutHead(t, dir)
	o := call(t, "", "verify", "--device", "cpu", "--model", dir, "--scores", similaritiesFile(t, dir, 0))
	o.want(t, good)
	if !strings.Contains(o.stdout, "12 of 12 published scores are met") || !strings.Contains(o.stdout, "is not the pinned one, 53aa51172d14") {
		t.Errorf("%s", o.stdout)
	}
	call(t, "", "verify", "--device", "cpu", "--model", dir, "--scores", similaritiesFile(t, dir, 2e-4)).want(t, failed, "12 of 12 scores are not the published ones")
	call(t, "", "verify", "--model", dir).want(t, failed, "similarities are published of sentence-transformers/all-MiniLM-L6-v2, and "+dir+" is another embedder")
	call(t, "", "verify", "--model", dir, "--scores", filepath.Join(dir, "none.jsonl")).want(t, failed, "none.jsonl")
	call(t, "", "verify", "--model", classifierDir(t)).want(t, failed, "sorts texts into 3 classes")
	o = call(t, "", "doctor", "--part", "verify", "--model", dir, "--into", t.TempDir())
	o.want(t, good)
	if !strings.Contains(o.stdout, "is another model: its weights are neither's") {
		t.Errorf("doctor: %s", o.stdout)
	}
}

// An embedding of zeros has similarities that are numbers, here as in the command of that name.
func TestVerifyZeros(t *testing.T) {
	dir := embedderDir(t)
	withoutHead(t, dir)
	name := filepath.Join(dir, "model.safetensors")
	f, err := safetensors.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range f.Names() {
		if of, _ := f.Lookup(tensor); strings.Contains(tensor, ".output.LayerNorm.") {
			clear(content[of.Offset:][:4*of.Shape[0]])
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o666); err != nil {
		t.Fatal(err)
	}
	scores := filepath.Join(t.TempDir(), "scores.jsonl")
	if err := os.WriteFile(scores, []byte(`{"query":"a","passage":"b","score":0}`), 0o666); err != nil {
		t.Fatal(err)
	}
	call(t, "", "verify", "--model", dir, "--scores", scores, "--precision", "f32").want(t, good)
}

// The published weights make the published similarities.
func TestVerifyRealEmbedder(t *testing.T) {
	dir := os.Getenv("MINILM_REAL_MODEL")
	if dir == "" {
		t.Skip("MINILM_REAL_MODEL is not set")
	}
	for _, precision := range []string{"f32", "auto"} {
		o := call(t, "", "verify", "--model", dir, "--precision", precision)
		o.want(t, good)
		if !strings.Contains(o.stdout, "12 of 12 published scores are met") || !strings.Contains(o.stdout, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db is the pinned one") {
			t.Errorf("%s: %s", precision, o.stdout)
		}
	}
}
