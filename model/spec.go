package model

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// spec is what a checkpoint's configuration says, with what a Config has no place for.
type spec struct {
	Config
	numLabels, idLabels int // where config.json contradicts itself: num_labels, and the length of id2label
	architectures       []string
	warnings            []string // what is odd, and harmless enough to go on; a line each
}

// readSpec reads the configuration of a checkpoint at the top of fsys.
func readSpec(fsys fs.FS) (*spec, error) {
	data, err := readSmall(fsys, "config.json")
	if err != nil {
		return nil, err
	}
	s, err := parseSpec(data)
	if err != nil {
		return nil, err
	}
	return s, s.readModules(fsys)
}

// parseSpec reads the contents of a config.json. A field that changes scores is honoured
// or refused; all others, such as dropouts, label2id or dtype, are not looked at.
func parseSpec(data []byte) (*spec, error) {
	f, err := parseFields("config.json", data)
	if err != nil {
		return nil, err
	}
	s := &spec{Config: Config{TypeVocabSize: 2, LayerNormEps: 1e-12}}
	f.refuseOthers()
	s.sizes(f)
	s.labels(f)
	s.activation(f)
	if s.Activation == "" && s.Labels > 0 {
		s.Activation = defaultActivation(s.Labels)
	}
	s.heads(f)
	if f.err != nil {
		return nil, f.err
	}
	return s, nil
}

// refuseOthers refuses what is another model than this encoder.
func (f *fields) refuseOthers() {
	for _, field := range []struct {
		name string
		want []string // the first as errors have it
	}{
		{"model_type", []string{"bert", ""}},
		// gelu_python is the same function, written in Python; gelu_new, gelu_fast and
		// others are approximations by tanh, which move scores.
		{"hidden_act", []string{"gelu", "gelu_python"}},
		{"position_embedding_type", []string{"absolute"}},
	} {
		var got string
		if f.text(field.name, &got) && !slices.Contains(field.want, got) {
			f.bad(field.name, "%.80q, want %q", got, field.want[0])
		}
	}
	for _, name := range []string{"is_decoder", "add_cross_attention"} {
		if f.isTrue(name) {
			f.bad(name, "true, want an encoder")
		}
	}
	// Heads that are missing from the weights of some layers.
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
	for _, name := range []string{"per_layer_config", "quantization_config"} {
		if f.has(name) && jsonscan.Shown(f.raw[name]) != "{}" {
			f.bad(name, "%s, which is not supported: want all layers alike, and plain weights", jsonscan.Shown(f.raw[name]))
		}
	}
}

// sizes reads the numbers.
func (s *spec) sizes(f *fields) {
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
		switch {
		case !f.whole(size.name, size.to):
			if size.required {
				f.bad(size.name, "missing") // of errors the first counts
			}
		case *size.to < 1 || *size.to > size.most:
			f.bad(size.name, "%d, want 1 to %d", *size.to, size.most)
		}
	}
	if f.err == nil && s.HiddenSize%s.Heads != 0 {
		f.bad("hidden_size", "%d is not divisible by num_attention_heads %d", s.HiddenSize, s.Heads)
	}
	if f.number("layer_norm_eps", &s.LayerNormEps) && !(s.LayerNormEps >= 0 && s.LayerNormEps < 1) {
		f.bad("layer_norm_eps", "%g, want 0 to 1", s.LayerNormEps)
	}
}

// labels counts id2label. Only its numbers matter: labels may be called anything, by
// numbers too. Where num_labels says otherwise, older versions of transformers go by
// id2label and newer ones by num_labels: the classifier decides.
func (s *spec) labels(f *fields) {
	var names map[string]any
	if !f.has("id2label") || !f.read("id2label", &names, "an object of labels by number") {
		return
	}
	ids := map[int]bool{}
	for key := range names {
		id, err := strconv.Atoi(key)
		if err != nil {
			f.bad("id2label", "label %.80q, want a number", key)
			return
		}
		ids[id] = true
	}
	switch n := len(ids); {
	case n == 0, n == s.Labels:
	case s.Labels == 0:
		s.Labels = n
	default:
		s.numLabels, s.idLabels, s.Labels = s.Labels, n, 0
	}
}

// heads reads which classes of model the weights are of.
func (s *spec) heads(f *fields) {
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
	// Before there was a model_type, this alone told a RoBERTa from a BERT.
	ofBert := func(class string) bool { return strings.HasPrefix(class, "Bert") }
	if f.raw["model_type"] == nil && len(s.architectures) > 0 && !slices.ContainsFunc(s.architectures, ofBert) {
		f.bad("model_type", "missing, and architectures is %.80q, want \"bert\"", s.architectures[:min(len(s.architectures), mostNamed)])
	}
	// sentence-transformers asks such a model for the words "yes" and "no".
	if len(s.architectures) > 0 && strings.HasSuffix(s.architectures[0], "ForCausalLM") {
		f.bad(name, "%.80q, which generates text, want BertForSequenceClassification", s.architectures[0])
	}
}

// ownHead reports whether the weights are of a model with this package's head, as far as
// the configuration says.
func (s *spec) ownHead() bool {
	return len(s.architectures) == 0 || slices.Contains(s.architectures, "BertForSequenceClassification")
}
