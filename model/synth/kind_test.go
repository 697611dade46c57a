package synth

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/model"
)

func TestEmbedder(t *testing.T) {
	c := Checkpoint{Seed: 1, Shape: tiny, Kind: Embedder}
	fsys, err := c.FS()
	if err != nil {
		t.Fatal(err)
	}
	modules := []string{"1_Pooling/config.json", "2_Normalize/config.json", "config_sentence_transformers.json", "modules.json", "sentence_bert_config.json"}
	all := slices.Concat(fileNames, modules)
	if err := fstest.TestFS(fsys, all...); err != nil {
		t.Error(err)
	}
	s, err := model.ReadEmbedder(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Modules(), []string{"pooling: mean", "normalize: to length 1"}; !slices.Equal(got, want) {
		t.Errorf("modules %q, want %q", got, want)
	}
	w, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if len(w.Warnings) > 0 || len(s.Input.Prompts) != 2 {
		t.Errorf("warnings %q, prompts %q", w.Warnings, s.Input.Prompts)
	}

	// A folder has the same files in the same places.
	dir := t.TempDir()
	if err := c.WriteDir(dir, false); err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if want, _ := fs.ReadFile(fsys, name); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s is not what FS has: %v", name, err)
		}
	}
}

func TestLabels(t *testing.T) {
	for n, want := range map[int]string{0: "contradiction entailment neutral", 3: "contradiction entailment neutral", 2: "LABEL_0 LABEL_1"} {
		shape := tiny
		shape.Labels = n
		fsys, err := Checkpoint{Shape: shape, Kind: Labels}.FS()
		if err != nil {
			t.Fatal(err)
		}
		s, err := model.ReadSpec(fsys)
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.Load()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		m, err := s.Meaning(w.Config.Labels)
		if got := strings.Join(m.Labels, " "); err != nil || got != want || m.Final != model.Softmax || len(w.Warnings) > 0 {
			t.Errorf("labels %q, %s, warnings %q, error %v; want %q", got, m.Final, w.Warnings, err, want)
		}
	}
}

func TestBadKinds(t *testing.T) {
	for _, c := range []Checkpoint{{Kind: Labels, Shape: Shape{Labels: 1}}, {Kind: Embedder, Shape: Shape{Labels: 3}}} {
		if _, err := c.FS(); !errors.Is(err, ErrShape) {
			t.Errorf("%s with %d labels: error %v", c.Kind, c.Shape.Labels, err)
		}
	}
	if _, err := (Checkpoint{Kind: "odd"}).FS(); err == nil || !strings.Contains(err.Error(), `kind "odd"`) {
		t.Errorf("error %v, want one that names the kind", err)
	}
}

// A directory can be read in pieces, and its paths are as strict as those of files.
func TestDirectories(t *testing.T) {
	fsys, err := Checkpoint{Shape: tiny, Kind: Embedder}.FS()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"1_Pool", "1_Pooling/", "1_Pooling/x", "config.json/x"} {
		if _, err := fsys.Open(name); err == nil {
			t.Errorf("%q was opened", name)
		}
	}
	f, err := fsys.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var names []string
	for {
		one, err := f.(fs.ReadDirFile).ReadDir(1)
		if err == io.EOF {
			break
		}
		if err != nil || len(one) != 1 {
			t.Fatalf("%d entries, error %v", len(one), err)
		}
		names = append(names, one[0].Name())
	}
	if len(names) != 11 || names[0] != "1_Pooling" || names[2] != "config.json" || !slices.IsSorted(names) {
		t.Errorf("entries %q", names)
	}
}
