package model

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
	"github.com/minilm-metal/minilm-metal/model/modules"
)

// Spec is everything that a checkpoint's configuration says: about the model, and about
// pairs before they reach it.
type Spec struct {
	Config
	Input Input
	// Files has config.json, the weights and the tokenizer's files at its top. It is the
	// checkpoint itself, or the folder in it that modules.json names.
	Files    fs.FS
	Warnings []string // problems that do not prevent scoring, one a line
	// Similarity is the name of the function by which an embedder's embeddings are meant to be
	// compared; "" if its files name none.
	Similarity string

	embeds              *embedder      // nil: it scores pairs
	modular             *embedder      // of a cross-encoder whose head is in modules; else nil
	numLabels, idLabels int            // num_labels and the length of id2label, if config.json contradicts itself
	labelNames          map[int]string // id2label
	problem             string         // problem_type, "" if it is missing
	architectures       []string
}

// ReadSpec reads the configuration of a checkpoint at the top of fsys: config.json, and the
// files of sentence-transformers beside it. Every field that changes scores is either
// followed, or refused with the name of its file and key. An unknown field of config.json
// is a warning. Errors about the files' contents are ErrConfig.
func ReadSpec(fsys fs.FS) (*Spec, error) {
	p, partsErr := readParts(fsys)
	// First, so that for another kind of model the error says that, and not something about
	// its modules.
	s, err := readConfig(fsys, p.root)
	switch {
	case err != nil && !errors.Is(err, ErrConfig): // it cannot be read
		if err = firstError(partsErr, err); errors.Is(err, fs.ErrNotExist) && modules.Root(fsys) != "." {
			err = otherKind{ErrNoHead, fmt.Errorf("%w: there is no config.json, and the modules of %s make embeddings: it is an encoder, and not a cross-encoder", ErrConfig, modules.File)}
		}
	case err == nil:
		err = partsErr
	}
	if err == nil {
		err = p.apply(s, fsys)
	}
	if err != nil {
		return nil, err
	}
	if s.Activation == "" && s.Labels > 0 {
		s.Activation = defaultActivation(s.Labels)
	}
	return s, nil
}

// readConfig reads config.json in the folder of the Transformer, which the Spec's Files are.
func readConfig(fsys fs.FS, folder string) (*Spec, error) {
	if folder != "." {
		var err error
		if fsys, err = fs.Sub(fsys, folder); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrConfig, modules.File, err)
		}
	}
	data, err := readSmall(fsys, "config.json")
	if err != nil {
		return nil, errNoConfig(folder, err)
	}
	s, err := parseSpec(data)
	if err != nil {
		return nil, err
	}
	s.Files = fsys
	return s, nil
}

// parseSpec reads the contents of a config.json. A field that changes scores is followed or
// refused; configKeys has the others. The activation is "" if none is named.
func parseSpec(data []byte) (*Spec, error) {
	f, err := parseFields("config.json", data)
	if err != nil {
		return nil, err
	}
	s := &Spec{Config: Config{TypeVocabSize: 2, LayerNormEps: 1e-12}}
	a := f.architecture()
	if a != &bert {
		s.arch = a
	}
	s.heads(f)
	f.refuseOthers(a)
	s.sizes(f)
	s.labels(f)
	s.activation(f)
	if f.err != nil {
		return nil, f.err
	}
	s.warnUnknown(f, slices.Concat(configKeys, a.more, slices.Collect(maps.Values(a.keys))))
	return s, nil
}

// refuseOthers refuses fields that make the model different from this encoder.
func (f *fields) refuseOthers(a *architecture) {
	for _, field := range []struct {
		name string
		want []string // allowed values; errors name the first
	}{
		// gelu_python is the same function, written in Python. gelu_new, gelu_fast and
		// others are approximations by tanh, which change scores.
		{"hidden_act", []string{"gelu", "gelu_python"}},
		{"position_embedding_type", []string{"absolute"}},
	} {
		var got string
		if name := a.key(field.name); f.text(name, &got) && !slices.Contains(field.want, got) {
			f.bad(name, "%.80q, want %q", got, field.want[0])
		}
	}
	for _, name := range []string{"is_decoder", "add_cross_attention"} {
		if f.isTrue(name) {
			f.bad(name, "true, want an encoder")
		}
	}
	// Heads that are missing in the weights of some layers.
	var pruned map[string][]int
	if f.has("pruned_heads") && f.read("pruned_heads", &pruned, "an object of lists of heads by layer") {
		removed := 0
		for _, heads := range pruned {
			removed += len(heads)
		}
		if removed > 0 {
			f.bad("pruned_heads", "%d heads are removed, want none", removed)
		}
	}
	for _, field := range []struct{ name, want string }{{"per_layer_config", "all layers alike"}, {"quantization_config", "plain weights"}} {
		if f.has(field.name) && jsonscan.Shown(f.raw[field.name]) != "{}" {
			f.bad(field.name, "%s is not supported, want %s", jsonscan.Shown(f.raw[field.name]), field.want)
		}
	}
}

// sizes reads the model's sizes.
func (s *Spec) sizes(f *fields) {
	a := s.architecture()
	for _, size := range []struct {
		name     string
		to       *int
		required bool
		most     int
	}{
		{"hidden_size", &s.HiddenSize, true, 1 << 16},
		{"num_hidden_layers", &s.Layers, true, 1 << 10},
		{"num_attention_heads", &s.Heads, true, 1 << 12},
		{"intermediate_size", &s.IntermediateSize, true, 1 << 18},
		{"vocab_size", &s.VocabSize, true, 1 << 24},
		{"max_position_embeddings", &s.MaxPositions, true, 1 << 20},
		{"type_vocab_size", &s.TypeVocabSize, false, 1 << 10},
		{"num_labels", &s.Labels, false, 1 << 16},
	} {
		switch name := a.key(size.name); {
		case name == "": // what parseSpec began with
		case name != size.name && f.has(size.name): // which transformers may read in place of its own
			f.bad(size.name, "in a %s it is %s", a.kind, name)
		case !f.whole(name, size.to):
			if size.required {
				f.bad(name, "missing") // if there are several errors, the first counts
			}
		case *size.to < 1 || *size.to > size.most:
			f.bad(name, "%d, want 1 to %d", *size.to, size.most)
		}
	}
	if f.err == nil && s.HiddenSize%s.Heads != 0 {
		f.bad(a.key("hidden_size"), "%d is not divisible by %s %d", s.HiddenSize, a.key("num_attention_heads"), s.Heads)
	}
	if a.names.project != "" {
		const name = "embedding_size"
		if s.EmbeddingSize = a.embedding; f.whole(name, &s.EmbeddingSize) && (s.EmbeddingSize < 1 || s.EmbeddingSize > 1<<16) {
			f.bad(name, "%d, want 1 to %d", s.EmbeddingSize, 1<<16)
		}
		if s.EmbeddingSize == s.HiddenSize {
			s.EmbeddingSize = 0
		}
	}
	if eps := a.key("layer_norm_eps"); eps != "" && f.number(eps, &s.LayerNormEps) && !(s.LayerNormEps >= 0 && s.LayerNormEps < 1) {
		f.bad("layer_norm_eps", "%g, want 0 to 1", s.LayerNormEps)
	}
}

// heads reads the class of model for which the weights were saved.
func (s *Spec) heads(f *fields) {
	const name = "architectures"
	if !f.has(name) {
		return
	}
	var one string
	if f.err == nil && f.raw[name][0] == '"' && f.text(name, &one) {
		s.architectures = []string{one}
	} else {
		f.read(name, &s.architectures, "a list of names")
	}
	// Before the field model_type existed, only this distinguished a RoBERTa from a BERT.
	ofBert := func(class string) bool { return strings.HasPrefix(class, bert.class) }
	if f.raw["model_type"] == nil && len(s.architectures) > 0 && !slices.ContainsFunc(s.architectures, ofBert) {
		f.bad("model_type", "missing, and architectures is %.80q, want \"bert\"", s.architectures[:min(len(s.architectures), mostNamed)])
	}
	// From such a model sentence-transformers reads the probabilities of the words "yes"
	// and "no".
	if len(s.architectures) > 0 && strings.HasSuffix(s.architectures[0], "ForCausalLM") {
		f.bad(name, "%.80q, which generates text, want %s", s.architectures[0], s.architecture().seqClass())
	}
}

// ownHead reports whether, according to the configuration, the weights include the head
// that this package knows.
func (s *Spec) ownHead() bool {
	return len(s.architectures) == 0 || slices.Contains(s.architectures, s.architecture().seqClass())
}
