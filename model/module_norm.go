package model

import (
	"fmt"
	"io/fs"
)

// normalize reads the module Normalize. Versions before 6 write an empty folder, which git
// does not keep.
func (e *embedder) normalize(fsys fs.FS, folder string) error {
	f, err := readModule(fsys, folder, false)
	if err != nil {
		return err
	}
	f.sentence("sentence_embedding")
	f.refuseUnknown([]string{"module_input_name", "module_output_name"})
	e.steps = append(e.steps, func() (Step, error) { return Step{Unit: true}, nil })
	e.parts = append(e.parts, "normalize: to length 1")
	return f.err
}

// layerNorm reads the module LayerNorm, whose epsilon is PyTorch's.
func (e *embedder) layerNorm(fsys fs.FS, folder string) error {
	f, err := readModule(fsys, folder, true)
	if err != nil {
		return err
	}
	const name = "dimension"
	n := 0
	if f.whole(name, &n); n != e.width {
		f.bad(name, "%d, want %d, as many as the module before it makes", n, e.width)
	}
	f.refuseUnknown([]string{name})
	e.steps = append(e.steps, func() (Step, error) {
		s := Step{Norm: new(Norm), Eps: 1e-5}
		return s, readTensors(fsys, folder, func(b *binder) {
			*s.Norm = Norm{Gain: b.copied("norm.weight", n), Bias: b.copied("norm.bias", n)}
		})
	})
	e.parts = append(e.parts, fmt.Sprintf("layer norm: of %d", n))
	return f.err
}

// dropout reads the module Dropout, which does something in training only.
func (e *embedder) dropout(fsys fs.FS, folder string) error {
	f, err := readModule(fsys, folder, false)
	if err != nil {
		return err
	}
	f.refuseUnknown([]string{"dropout"})
	return f.err
}
