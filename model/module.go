package model

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
	"gorgonia.org/tensor"
)

// readModule reads the configuration in a module's folder.
func readModule(fsys fs.FS, folder string, required bool) (*fields, error) {
	name := folder + "/config.json"
	f, err := readFields(fsys, name)
	if err == nil && required && f.raw == nil {
		err = fmt.Errorf("%w: %s is missing", ErrConfig, name)
	}
	return f, err
}

// sentence refuses modules that read something other than the embedding, or write something
// other than out.
func (f *fields) sentence(out string) {
	for _, is := range []struct{ name, want string }{{"module_input_name", "sentence_embedding"}, {"module_output_name", out}} {
		got := "sentence_embedding"
		if f.has(is.name) {
			f.text(is.name, &got)
		}
		if got != is.want {
			f.bad(is.name, "%.80q, want %q", got, is.want)
		}
	}
}

// readTensors reads the weights in a module's folder: read looks up all that there may be.
func readTensors(fsys fs.FS, folder string, read func(b *binder)) error {
	sub, err := fs.Sub(fsys, folder)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	file, err := openWeights(sub)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrWeights, folder, err)
	}
	defer file.Close()
	b := binder{file: file, used: map[string]bool{}}
	if read(&b); b.err == nil {
		var others []string
		for _, name := range file.Names() {
			if !b.used[name] {
				others = append(others, name)
			}
		}
		if len(others) > 0 {
			b.err = fmt.Errorf("%w: tensors %s have no place in this module", ErrWeights, jsonscan.Quoted(others, mostNamed))
		}
	}
	if b.err != nil {
		return fmt.Errorf("%s: %w", folder, b.err)
	}
	return nil
}

// copied is dense in memory that does not belong to the file.
func (b *binder) copied(name string, shape ...int) *tensor.Dense {
	t := b.dense(name, shape...)
	if b.err != nil {
		return nil
	}
	var values []float32
	if b.err = b.file.Guard(func() error { values = slices.Clone(Float32s(t)); return nil }); b.err != nil {
		return nil
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))
}
