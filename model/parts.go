package model

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/modules"
)

// parts is what modules.json and the settings beside it say about a cross-encoder. If these
// files are missing, or describe another kind of model, sentence-transformers uses
// config.json only, and so does this package.
type parts struct {
	used     bool    // the files describe a cross-encoder
	settings *fields // the fields of modules.Settings
	list     []modules.Module
	root     string // the folder of the module Transformer, modules.RootOf(list)
}

// readParts reads modules.json and the kind of model that it describes. On an error root is
// ".", because nothing else is known.
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
	p.used, p.root = true, modules.RootOf(p.list)
	return p, nil
}

// ownHead reports whether the head is in modules after the Transformer: the last is a Dense,
// which makes the scores.
func (p *parts) ownHead() bool {
	return len(p.list) > 2 && p.list[0].IsTransformer() && p.list[1].Class() == "Pooling" && p.list[len(p.list)-1].Class() == "Dense"
}

// onlyTransformer returns an error if there are modules other than one Transformer.
func (p *parts) onlyTransformer() error {
	refuse := func(i int, format string, args ...any) error {
		return fmt.Errorf("%w: %s: module %d, %.80q, %s", ErrConfig, modules.File, i, p.list[i].Type, fmt.Sprintf(format, args...))
	}
	dense := slices.IndexFunc(p.list, func(m modules.Module) bool { return strings.HasSuffix(m.Type, ".Dense") })
	switch {
	case len(p.list) == 0:
		return fmt.Errorf("%w: %s: no modules, want a Transformer", ErrConfig, modules.File)
	case !p.list[0].IsTransformer():
		return refuse(0, "is not supported: want sentence-transformers' own Transformer")
	case dense > 0:
		return refuse(dense, "makes the score, in the folder %.80s: want a Pooling before it and nothing after it, or a Transformer with a classifier", p.list[dense].Folder)
	case len(p.list) > 1:
		return refuse(1, "is not supported: want no module after the Transformer")
	}
	return nil
}

// apply puts what these files say into s; it takes precedence over config.json.
func (p *parts) apply(s *Spec, fsys fs.FS) error {
	if !p.used {
		return nil
	}
	of := scores
	if p.ownHead() {
		of, s.modular = embeddings, &embedder{width: s.HiddenSize, scores: true}
		if err := s.modular.modules(fsys, p.list); err != nil {
			return err
		}
		s.Labels, s.numLabels, s.idLabels = s.modular.width, 0, 0
	} else if err := p.onlyTransformer(); err != nil {
		return err
	}
	f := p.settings
	if a := s.namedActivation(f, newActivation); a != "" { // otherwise config.json's counts
		s.Activation = a
	}
	s.Input.prompts(f)
	f.refuseUnknown(libraryKeys)
	if f.err != nil {
		return f.err
	}
	return s.Input.read(s.Files, s, of)
}

// readFields reads a small file. If it does not exist, the result has no fields.
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
