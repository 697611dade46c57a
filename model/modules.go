package model

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/modules"
)

// parts is what sentence-transformers keeps of a cross-encoder in modules.json and beside
// it: where they are not there, or are of a model of another kind, the library takes
// config.json alone.
type parts struct {
	count    bool    // they are a cross-encoder's
	settings *fields // of modules.Settings
	list     []modules.Module
	root     string // the folder of the Transformer, "." where it is the checkpoint's own
}

// readParts reads modules.json and which kind of model it is of. On an error the root is
// ".": nothing else is known.
func readParts(fsys fs.FS) (*parts, error) {
	p := &parts{root: "."}
	data, err := readSmall(fsys, modules.File)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	settings, err := readSmall(fsys, modules.Settings)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		p.settings, err = parseFields(modules.Settings, settings)
	}
	if err != nil || !modules.IsCrossEncoder(settings) {
		return p, err
	}
	if p.list, err = modules.Parse(data); err != nil {
		return p, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	p.count, p.root = true, modules.Root(fsys)
	return p, nil
}

// onlyTransformer refuses modules beside the model itself, and other modules than it.
func (p *parts) onlyTransformer() error {
	refuse := func(i int, format string, args ...any) error {
		return fmt.Errorf("%w: %s: module %d, %.80q, %s", ErrConfig, modules.File, i, p.list[i].Type, fmt.Sprintf(format, args...))
	}
	dense := slices.IndexFunc(p.list, func(m modules.Module) bool { return strings.HasSuffix(m.Type, ".Dense") })
	switch {
	case len(p.list) == 0:
		return fmt.Errorf("%w: %s: no modules, want a Transformer", ErrConfig, modules.File)
	case !p.list[0].IsTransformer():
		return refuse(0, "is not supported: want a Transformer of sentence-transformers alone")
	case dense > 0:
		return refuse(dense, "makes the score: a head in a folder of its own, %.80s, is not supported, want a Transformer with a classifier, alone", p.list[dense].Folder)
	case len(p.list) > 1:
		return refuse(1, "is not supported: want the Transformer before it alone")
	}
	return nil
}

// apply has these settings count: they are more than config.json's.
func (p *parts) apply(s *Spec, root fs.FS) error {
	if !p.count {
		return nil
	}
	if err := p.onlyTransformer(); err != nil {
		return err
	}
	f := p.settings
	if a := s.namedActivation(f, newActivation); a != "" { // else that of config.json counts
		s.Activation = a
	}
	s.Input.prompts(f)
	f.refuseUnknown(libraryKeys)
	if f.err != nil {
		return f.err
	}
	return s.Input.read(root, s)
}

// readFields reads a small file, which has no fields where it is not there.
func readFields(fsys fs.FS, name string) (*fields, error) {
	data, err := readSmall(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return &fields{file: name}, nil
	}
	if err != nil {
		return nil, err
	}
	return parseFields(name, data)
}
