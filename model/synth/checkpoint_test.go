package synth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

var fileNames = []string{"config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"}

func TestFS(t *testing.T) {
	fsys, err := FS(1, tiny)
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(fsys, fileNames...); err != nil {
		t.Error(err)
	}
	if err := fstest.TestFS(fsys, "missing.json"); err == nil {
		t.Error("missing.json was found")
	}
	for _, name := range fileNames {
		f, err := fsys.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		read, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		if shared := f.(interface{ Bytes() []byte }).Bytes(); !slices.Equal(shared, read) {
			t.Errorf("%s: Bytes and ReadFile differ", name)
		} else if &shared[0] == &read[0] {
			t.Errorf("%s: ReadFile gave out the shared bytes", name)
		}
	}
}

// Looking does not make the weights.
func TestStatIsCheap(t *testing.T) {
	fsys, err := FS(1, Shape{Layers: 24, Hidden: 1024, Heads: 16, Intermediate: 4096})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	info, err := fs.Stat(fsys, "model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if info.Size() < 1e9 || after.TotalAlloc-before.TotalAlloc > 1e6 {
		t.Errorf("size %d took %d bytes of memory", info.Size(), after.TotalAlloc-before.TotalAlloc)
	}
}

// The files say the shape that was asked for, in every dtype and layout.
func TestCheckpointsLoad(t *testing.T) {
	for _, dtype := range []DType{"", F32, F16, BF16} {
		for _, layout := range []Layout{Plain, Published} {
			t.Run(fmt.Sprintf("%s/%d", dtype, layout), func(t *testing.T) {
				fsys, err := Checkpoint{Seed: 1, Shape: tiny, DType: dtype, Layout: layout}.FS()
				if err != nil {
					t.Fatal(err)
				}
				w, err := model.Load(fsys)
				if err != nil {
					t.Fatal(err)
				}
				defer w.Close()
				c := w.Config
				got := Shape{c.Layers, c.HiddenSize, c.Heads, c.IntermediateSize, c.VocabSize, c.MaxPositions, c.TypeVocabSize, c.Labels}
				if want := resolve(t, tiny); got != want || c.LayerNormEps != 1e-12 || c.Activation != model.Identity {
					t.Errorf("config %+v, want %+v", c, want)
				}
				if got, want := float64(w.Parameters()), resolve(t, tiny).parameters(); got != want {
					t.Errorf("%g parameters, want %g", got, want)
				}
				f, err := safetensors.OpenFS(fsys, "model.safetensors")
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				ids, found := f.Lookup("bert." + positionIDs)
				if found != (layout == Published) {
					t.Errorf("position_ids found: %v", found)
				}
				if found && (!slices.Equal(ids.Shape, []int{1, 128}) || ids.DType != "I64" || ids.Data()[8*127] != 127) {
					t.Errorf("position_ids: %+v", ids)
				}
				for _, name := range f.Names() {
					x, _ := f.Lookup(name)
					if err := x.CheckFinite(); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

// The published file: 106 tensors, a header of 12,090 bytes and so data from
// byte 12,098 on, 90,870,598 bytes in all.
func TestPublishedLayout(t *testing.T) {
	f := newFile(made(t, Checkpoint{Seed: 1, Layout: Published}))
	if n := len(f.tensors) + 1; n != 106 {
		t.Errorf("%d tensors, want 106", n)
	}
	if n := len(f.header); n != 12098 {
		t.Errorf("data begins at byte %d, want 12098", n)
	}
	if n := f.size(); n != 90870598 {
		t.Errorf("%d bytes, want 90870598", n)
	}
	if want := `{"__metadata__":{"format":"pt"},"bert.embeddings.position_ids":{"dtype":"I64","shape":[1,512],"data_offsets":[0,4096]},` +
		`"bert.embeddings.LayerNorm.bias":{"dtype":"F32","shape":[384],"data_offsets":[4096,5632]},`; !strings.HasPrefix(string(f.header[8:]), want) {
		t.Errorf("the header begins %.250s", f.header[8:])
	}
	if plain := newFile(made(t, Checkpoint{Seed: 1})); len(plain.header)%8 != 0 || len(plain.tensors) != 105 {
		t.Errorf("plain: %d tensors, data from byte %d", len(plain.tensors), len(plain.header))
	}
}

func TestBadShapes(t *testing.T) {
	for _, c := range []struct {
		shape Shape
		want  string
	}{
		{Shape{Layers: -1}, "layers -1"},
		{Shape{Hidden: 1 << 25}, "hidden size 33554432"},
		{Shape{Hidden: 100, Heads: 7}, "no multiple of 7 heads"},
		{Shape{Vocab: 103}, "vocabulary 103, want 104"},
		{Shape{Hidden: 1 << 20, Heads: 1}, "parameters"},
		{Shape{Layers: 1 << 24, Hidden: 1 << 24, Intermediate: 1 << 24, Heads: 1}, "parameters"},
	} {
		_, err := FS(1, c.shape)
		if !errors.Is(err, ErrShape) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.shape, err, c.want)
		}
	}
	if _, err := (Checkpoint{DType: "F8"}).FS(); err == nil || !strings.Contains(err.Error(), `"F8"`) {
		t.Errorf("dtype F8: error %v", err)
	}
	if _, err := (Checkpoint{Layout: 9}).FS(); err == nil {
		t.Error("layout 9 was taken")
	}
}

func TestVocabOfAnySize(t *testing.T) {
	whole := Vocab(30522)
	if got := strings.Join(whole, "\n") + "\n"; got != vocabFile {
		t.Error("30,522 entries are not vocab.txt")
	}
	for _, n := range []int{104, 700, 5000, 30521, 30522, 40000} {
		v := Vocab(n)
		seen := map[string]bool{}
		for _, e := range v {
			if seen[e] {
				t.Errorf("of %d: %q is there twice", n, e)
			}
			seen[e] = true
		}
		if len(v) != n || !slices.Equal(v[:104], whole[:104]) {
			t.Errorf("of %d: %d entries, from %q", n, len(v), v[:5])
		}
		if n >= 700 && !(seen["a"] && seen["##z"] && seen["the"] && seen["##ing"]) {
			t.Errorf("of %d: no words", n)
		}
	}
}

// tokenizer.json has the vocabulary in the order of its ids, as the Rust
// library writes it.
func TestTokenizerJSON(t *testing.T) {
	vocab := Vocab(30522)
	text := tokenizerJSON(vocab)
	var file struct {
		Model struct{ Vocab map[string]int }
		Added []struct {
			ID      int
			Content string
		} `json:"added_tokens"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Model.Vocab) != len(vocab) {
		t.Errorf("%d entries, want %d", len(file.Model.Vocab), len(vocab))
	}
	for id, e := range vocab {
		if got, ok := file.Model.Vocab[e]; !ok || got != id {
			t.Fatalf("%q has id %d, want %d", e, got, id)
		}
	}
	for _, a := range file.Added {
		if vocab[a.ID] != a.Content {
			t.Errorf("%q is added as id %d, which is %q", a.Content, a.ID, vocab[a.ID])
		}
	}
	s := string(text)
	if strings.Index(s, `"the": `) > strings.Index(s, `"zero": `) {
		t.Error("the vocabulary is not in the order of its ids")
	}
}

func TestWriteDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	c := Checkpoint{Seed: 1, Shape: tiny}
	if err := c.WriteDir(dir, false); err != nil {
		t.Fatal(err)
	}
	fsys, err := c.FS()
	if err != nil {
		t.Fatal(err)
	}
	same := func() {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
			got, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if want, _ := fs.ReadFile(fsys, e.Name()); !slices.Equal(got, want) {
				t.Errorf("%s is not what FS has", e.Name())
			}
		}
		if !slices.Equal(names, fileNames) {
			t.Errorf("files %v, want %v", names, fileNames)
		}
	}
	same()

	// One file there already: nothing is written.
	other := Checkpoint{Seed: 2, Shape: tiny}
	if err := os.Remove(filepath.Join(dir, "config.json")); err != nil {
		t.Fatal(err)
	}
	err = other.WriteDir(dir, false)
	if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "model.safetensors") {
		t.Errorf("error %v, want one that names model.safetensors", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "config.json")); err == nil {
		t.Error("config.json was written all the same")
	}

	if err := c.WriteDir(dir, true); err != nil {
		t.Fatal(err)
	}
	same()

	// A file in the way of the directory.
	if err := c.WriteDir(filepath.Join(dir, "vocab.txt"), false); err == nil {
		t.Error("a file was taken for a directory")
	}
	// A directory in the way of a file leaves no temporary file behind.
	if err := os.Remove(filepath.Join(dir, "config.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "config.json", "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteDir(dir, true); err == nil {
		t.Error("a directory was written over")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
