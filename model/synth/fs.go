package synth

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Checkpoint says which checkpoint to make. Its zero value is the shape of
// ms-marco-MiniLM-L-6-v2 in float32, from seed 0.
type Checkpoint struct {
	Seed   uint64
	Shape  Shape
	Kind   Kind  // Ranker if empty
	DType  DType // F32 if empty
	Layout Layout
}

// FS returns the cross-encoder of a seed and a shape in float32, as
// Checkpoint.FS does.
func FS(seed uint64, shape Shape) (fs.FS, error) {
	return Checkpoint{Seed: seed, Shape: shape}.FS()
}

// FS returns a read-only file system, in memory, with the files config.json,
// model.safetensors, vocab.txt, tokenizer.json, tokenizer_config.json and
// special_tokens_map.json, and for an Embedder modules.json with what it leads to. The
// contents of a file are made when it is first opened and shared afterwards; they must not be
// changed. The files have a method
//
//	Bytes() []byte
//
// that returns the contents without a copy.
func (c Checkpoint) FS() (fs.FS, error) {
	files, err := c.files()
	if err != nil {
		return nil, err
	}
	return memory(files), nil
}

// files resolves c into its files, sorted by name.
func (c Checkpoint) files() ([]*memoryFile, error) {
	c, err := c.resolve()
	if err != nil {
		return nil, err
	}
	weights := newFile(c)
	vocab := func() []string { return Vocab(c.Shape.Vocab) }
	files := []*memoryFile{
		newMemoryFile("config.json", -1, func() []byte { return configJSON(c) }),
		newMemoryFile("model.safetensors", int64(weights.size()), weights.bytes),
		newMemoryFile("special_tokens_map.json", -1, specialTokensMapJSON),
		newMemoryFile("tokenizer.json", -1, func() []byte { return tokenizerJSON(vocab()) }),
		newMemoryFile("tokenizer_config.json", -1, func() []byte { return tokenizerConfigJSON(c.Shape) }),
		newMemoryFile("vocab.txt", -1, func() []byte { return vocabTxt(vocab()) }),
	}
	if c.Kind == Embedder {
		files = append(files, moduleFiles(c.Shape)...)
	}
	slices.SortFunc(files, func(a, b *memoryFile) int { return strings.Compare(a.name, b.name) })
	return files, nil
}

// resolve replaces what is left empty by its default and checks the result.
func (c Checkpoint) resolve() (_ Checkpoint, err error) {
	if c.Kind, err = ParseKind(cmp.Or(string(c.Kind), string(Ranker))); err != nil {
		return c, err
	}
	if c.Kind == Labels && c.Shape.Labels == 0 {
		c.Shape.Labels = len(nliLabels)
	}
	if c.Shape, err = c.Shape.Resolve(); err != nil {
		return c, err
	}
	switch n := c.Shape.Labels; {
	case c.Kind == Labels && n < 2:
		return c, fmt.Errorf("%w: labels %d, want at least 2 of a classifier", ErrShape, n)
	case c.Kind == Embedder && n > 1:
		return c, fmt.Errorf("%w: labels %d: an embedder has none", ErrShape, n)
	}
	if c.DType, err = ParseDType(cmp.Or(string(c.DType), string(F32))); err != nil {
		return c, err
	}
	if c.Layout != Plain && c.Layout != Published {
		return c, fmt.Errorf("synth: layout %d, want Plain or Published", c.Layout)
	}
	return c, nil
}
