package model

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
	"github.com/minilm-metal/minilm-metal/model/modules"
)

// Spec is what a checkpoint's configuration says: the model, and what becomes of pairs
// before it.
type Spec struct {
	Config
	Input Input
	// Files has config.json, the weights and the tokenizer's files at its top: the
	// checkpoint itself, or the folder of it that modules.json names.
	Files    fs.FS
	Warnings []string // what is odd, and harmless enough to go on; a line each

	numLabels, idLabels int // where config.json contradicts itself: num_labels, and the length of id2label
	architectures       []string
}

// ReadSpec reads the configuration of a checkpoint at the top of fsys: config.json, and
// what sentence-transformers keeps beside it. Whatever there changes scores is honoured,
// or refused with the name of its file and key; what nobody knows of config.json is a
// warning. Errors about what the files say are ErrConfig.
func ReadSpec(fsys fs.FS) (*Spec, error) {
	p, partsErr := readParts(fsys)
	root := fsys
	if p.root != "." {
		var err error
		if root, err = fs.Sub(fsys, p.root); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrConfig, modules.File, err)
		}
	}
	data, err := readSmall(root, "config.json")
	if err != nil {
		return nil, firstError(partsErr, errNoConfig(p.root, err))
	}
	// First, so that of another kind of model that is said, and not what its modules are.
	s, err := parseSpec(data)
	if err == nil {
		err = partsErr
	}
	if err == nil {
		err = p.apply(s, root)
	}
	if err != nil {
		return nil, err
	}
	s.Files = root
	if s.Activation == "" && s.Labels > 0 {
		s.Activation = defaultActivation(s.Labels)
	}
	return s, nil
}

// parseSpec reads the contents of a config.json. A field that changes scores is honoured
// or refused; configKeys has the others. The activation is "" where none is named.
func parseSpec(data []byte) (*Spec, error) {
	f, err := parseFields("config.json", data)
	if err != nil {
		return nil, err
	}
	s := &Spec{Config: Config{TypeVocabSize: 2, LayerNormEps: 1e-12}}
	f.refuseOtherKinds()
	s.heads(f)
	f.refuseOthers()
	s.sizes(f)
	s.labels(f)
	s.activation(f)
	if f.err != nil {
		return nil, f.err
	}
	s.warnUnknown(f, configKeys)
	return s, nil
}

// kinds are what models of other types are called, by how model_type begins: the first
// that fits counts.
var kinds = []struct{ prefix, is string }{
	{"roberta", "a RoBERTa"}, {"xlm-roberta", "an XLM-RoBERTa"}, {"camembert", "a CamemBERT"}, {"distilbert", "a DistilBERT"}, {"electra", "an ELECTRA"},
	{"mpnet", "an MPNet"}, {"modernbert", "a ModernBERT"}, {"deberta", "a DeBERTa"}, {"albert", "an ALBERT"}, {"xlnet", "an XLNet"}, {"t5", "a T5"},
	{"qwen", "a Qwen"}, {"llama", "a Llama"}, {"gemma", "a Gemma"}, {"nomic_bert", "a Nomic BERT"},
}

// refuseOtherKinds refuses a model of another type.
func (f *fields) refuseOtherKinds() {
	var got string
	if !f.text("model_type", &got) || got == "bert" || got == "" {
		return
	}
	is := "another kind of"
	for _, kind := range kinds {
		if strings.HasPrefix(got, kind.prefix) {
			is = kind.is
			break
		}
	}
	f.bad("model_type", "%.80q: this is %s model, and only BERT (\"bert\") is supported", got, is)
}

// refuseOthers refuses what is another model than this encoder.
func (f *fields) refuseOthers() {
	for _, field := range []struct {
		name string
		want []string // the first as errors have it
	}{
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
func (s *Spec) sizes(f *fields) {
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
func (s *Spec) labels(f *fields) {
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
func (s *Spec) ownHead() bool {
	return len(s.architectures) == 0 || slices.Contains(s.architectures, "BertForSequenceClassification")
}
