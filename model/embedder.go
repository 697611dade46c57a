package model

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/minilm-metal/minilm-metal/model/modules"
)

// embedder is what the modules of a SentenceTransformer do after the Transformer.
type embedder struct {
	pool       []Pooling
	skipPrompt bool                   // what is pooled leaves out a prompt's tokens
	steps      []func() (Step, error) // each reads its weights, if it has some
	width      int                    // of what the steps make
	cut        int                    // an embedding has so many of these values, the first ones; 0: all
	// scores says that the last module, a Dense, makes the scores of a cross-encoder.
	scores bool
	parts  []string // what Modules returns
}

// ReadEmbedder reads the configuration of a checkpoint that makes embeddings, at the top of
// fsys: as ReadSpec does, and modules.json with what it leads to. What changes embeddings is
// either followed or refused by its name. If there is no modules.json, the embedding is the
// mean of all tokens, as in sentence-transformers.
func ReadEmbedder(fsys fs.FS) (*Spec, error) {
	data, err := readSmall(fsys, modules.File)
	list := []modules.Module(nil)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if list, err = modules.Parse(data); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	s, err := readConfig(fsys, modules.RootOf(list))
	if err != nil {
		return nil, err
	}
	s.Activation = Identity
	s.embeds = &embedder{pool: []Pooling{PoolMean}, width: s.HiddenSize, parts: []string{poolNames([]Pooling{PoolMean})}}
	if list != nil {
		err = s.embeds.modules(fsys, list)
	} else { // a cross-encoder is among these, and so is a model of [CLS] whose folder is not whole
		s.warn("there is no %s to say how embeddings are made: they are means of all tokens, as in sentence-transformers, and may mean nothing", modules.File)
	}
	if err == nil {
		err = s.embedderSettings(fsys)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// embedderSettings reads the settings of the library, and those of the Transformer.
func (s *Spec) embedderSettings(fsys fs.FS) error {
	f, err := readFields(fsys, modules.Settings)
	if err != nil {
		return err
	}
	var kind string
	if f.has("model_type") && f.text("model_type", &kind) && kind != "SentenceTransformer" {
		f.bad("model_type", "%.80q, want \"SentenceTransformer\"", kind)
	}
	s.Input.prompts(f)
	if cut := 0; f.has("truncate_dim") && f.whole("truncate_dim", &cut) {
		if cut < 1 {
			f.bad("truncate_dim", "%d, want at least 1", cut)
		}
		s.embeds.cut = min(cut, s.embeds.width)
	}
	if f.has("similarity_fn_name") {
		f.text("similarity_fn_name", &s.Similarity)
	}
	f.refuseUnknown(libraryKeys)
	if f.err != nil {
		return f.err
	}
	return s.Input.read(s.Files, s, embeddings)
}

// Modules says in words what makes an embedding of the encoder's last hidden state, in order:
// the pooling and each step after it. It is nil for a checkpoint that is read for scores.
func (s *Spec) Modules() []string {
	if s.embeds == nil {
		return nil
	}
	parts := slices.Clone(s.embeds.parts)
	if e := s.embeds; e.shortens() {
		parts = append(parts, fmt.Sprintf("the first %d values of %d", e.cut, e.width))
	}
	return parts
}

// Cut makes an embedding the first n values of what the modules make, whatever truncate_dim says
// in the files. It returns how many values they make; if n is more, it changes nothing.
func (s *Spec) Cut(n int) (width int) {
	if n <= s.embeds.width {
		s.embeds.cut = n
	}
	return s.embeds.width
}

// modules reads the modules after the Transformer.
func (e *embedder) modules(fsys fs.FS, list []modules.Module) error {
	refuse := func(i int, why string) error {
		return fmt.Errorf("%w: %s: module %d, %.80q, %s", ErrConfig, modules.File, i, list[i].Type, why)
	}
	if len(list) == 0 || !list[0].IsTransformer() {
		if len(list) == 0 {
			return fmt.Errorf("%w: %s: no modules, want a Transformer", ErrConfig, modules.File)
		}
		return refuse(0, "is not supported: want sentence-transformers' own Transformer")
	}
	if len(list) > 1 && list[1].Class() == "" { // somebody's own, which may make embeddings
		return refuse(1, "is not supported: want sentence-transformers' own Pooling")
	}
	if len(list) < 2 || list[1].Class() != "Pooling" {
		return fmt.Errorf("%w: %s: want a Pooling after the Transformer: without it sentence-transformers makes no embedding", ErrConfig, modules.File)
	}
	for i, m := range list[1:] {
		var err error
		switch class := m.Class(); {
		case class == "Pooling" && i == 0:
			err = e.pooling(fsys, m.Folder)
		case class == "Dense":
			out := "sentence_embedding"
			if e.scores && i == len(list)-2 {
				out = "scores"
			}
			err = e.dense(fsys, m.Folder, out)
		case class == "Normalize":
			err = e.normalize(fsys, m.Folder)
		case class == "LayerNorm":
			err = e.layerNorm(fsys, m.Folder)
		case class == "Dropout":
			err = e.dropout(fsys, m.Folder)
		default:
			return refuse(i+1, "is not supported: want a Pooling and after it any of Dense, LayerNorm and Normalize")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// shortens reports whether an embedding lacks values that the steps make.
func (e *embedder) shortens() bool { return e.cut > 0 && e.cut < e.width }

// head reads the weights of the steps.
func (e *embedder) head() (Head, error) {
	h := Head{Pool: e.pool, SkipPrompt: e.skipPrompt}
	for _, read := range e.steps {
		s, err := read()
		if err != nil {
			return h, err
		}
		h.Steps = append(h.Steps, s)
	}
	if e.shortens() { // after all modules, so that the result is no longer of unit length
		h.Steps = append(h.Steps, Step{Cut: e.cut})
	}
	return h, nil
}
