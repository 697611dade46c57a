package model

import (
	"fmt"
	"slices"
	"strings"
)

// architecture is what one type of model has of its own: how its files name things, and its
// head. The encoder is the same for all of them, so that no device knows of architectures.
type architecture struct {
	kind  string // model_type in config.json
	class string // what the names of its classes in transformers begin with
	names names
	// prefix is what a file of a whole model puts before the names of the encoder's tensors.
	// A file of the encoder alone does without it.
	prefix string
	// keys renames fields of config.json that have another name than BERT's; "" means that
	// there is no such field, and Config keeps the value that it has.
	keys map[string]string
	// embedding is embedding_size where config.json has none, and the names have a project.
	embedding int
	// more are further keys of its config.json that change nothing.
	more []string
	// classifier is the matrix of which a row is a label: a file that has it has a head.
	// Names of the head's tensors begin with those in outside.
	classifier string
	outside    []string
	// head returns the steps from the [CLS] row to the logits.
	head func(b *binder, c *Config) []Step
}

// names are those of the encoder's tensors, without .weight and .bias. Those of a layer follow
// the layer's own, in which %d is its number.
type names struct {
	word, position, types, norm string // of the embeddings; there may be no types
	project                     string // where embedding_size may differ from hidden_size; else ""
	layer                       string

	query, key, value, output, attentionNorm string
	up, down, outputNorm                     string
}

// architectures are all that there are. The first is that of a config.json without model_type.
var architectures = []*architecture{&bert, &electra, &distilbert}

// key returns the name that a field of BERT's config.json has here; "" if it has none.
func (a *architecture) key(field string) string {
	if name, other := a.keys[field]; other {
		return name
	}
	return field
}

// isOutside reports whether a tensor's name is one of the head's, which has no prefix.
func (a *architecture) isOutside(name string) bool {
	return slices.ContainsFunc(a.outside, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// seqClass returns the class of transformers that has our head.
func (a *architecture) seqClass() string { return a.class + "ForSequenceClassification" }

// architecture returns that of model_type, or refuses it. Models of before that field are
// BERT's.
func (f *fields) architecture() *architecture {
	var got string
	if !f.text("model_type", &got) || got == "" {
		return architectures[0]
	}
	var known []string
	for _, a := range architectures {
		if a.kind == got {
			return a
		}
		known = append(known, fmt.Sprintf("%q", a.kind))
	}
	is := "another kind of"
	for _, kind := range kinds {
		if strings.HasPrefix(got, kind.prefix) {
			is = kind.is
			break
		}
	}
	f.bad("model_type", "%.80q: this is %s model, and only these are supported: %s", got, is, strings.Join(known, ", "))
	return architectures[0]
}

// kinds names models of other types. model_type begins with prefix; the first row that
// matches counts.
var kinds = []struct{ prefix, is string }{
	{"roberta", "a RoBERTa"}, {"xlm-roberta", "an XLM-RoBERTa"}, {"camembert", "a CamemBERT"},
	{"mpnet", "an MPNet"}, {"modernbert", "a ModernBERT"}, {"deberta", "a DeBERTa"}, {"albert", "an ALBERT"}, {"xlnet", "an XLNet"}, {"t5", "a T5"},
	{"qwen", "a Qwen"}, {"llama", "a Llama"}, {"gemma", "a Gemma"}, {"nomic_bert", "a Nomic BERT"},
}
