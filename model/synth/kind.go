package synth

import (
	"fmt"
	"strings"
)

// Kind is what a checkpoint is for.
type Kind string

const (
	// Ranker is a cross-encoder that makes one score of a pair, or as many logits as
	// Shape.Labels says.
	Ranker Kind = "ranker"
	// Embedder makes embeddings as all-MiniLM-L6-v2 does: the mean of all tokens, of length
	// 1. Its folder is what sentence-transformers 6 writes.
	Embedder Kind = "embedder"
	// Labels is a classifier of one right label out of several, such as of natural language
	// inference. It has 3 labels where Shape.Labels is 0.
	Labels Kind = "labels"
)

// ParseKind reads "ranker", "embedder" or "labels", in any case.
func ParseKind(s string) (Kind, error) {
	switch k := Kind(strings.ToLower(s)); k {
	case Ranker, Embedder, Labels:
		return k, nil
	}
	return "", fmt.Errorf("synth: kind %q, want %s, %s or %s", s, Ranker, Embedder, Labels)
}

// nliLabels are the three of natural language inference, in the order of the cross-encoders
// for it. Other numbers of labels have names without a meaning.
var nliLabels = []string{"contradiction", "entailment", "neutral"}

// names are those of the labels.
func (c Checkpoint) names() []string {
	if c.Kind == Labels && c.Shape.Labels == len(nliLabels) {
		return nliLabels
	}
	names := make([]string, c.Shape.Labels)
	for i := range names {
		names[i] = fmt.Sprintf("LABEL_%d", i)
	}
	return names
}

// prefix is what names of the encoder's tensors begin with: a file of the encoder alone has
// them without.
func (c Checkpoint) prefix() string {
	if c.Kind == Embedder {
		return ""
	}
	return "bert."
}

// moduleFiles are the files that an embedder has beside those of its encoder.
func moduleFiles(s Shape) []*memoryFile {
	type object = map[string]any
	module := func(i int, folder, kind string) object {
		return object{"idx": i, "name": fmt.Sprint(i), "path": folder, "type": "sentence_transformers." + kind}
	}
	const pooling, normalize = "1_Pooling", "2_Normalize"
	file := func(name string, content any) *memoryFile {
		return newMemoryFile(name, -1, func() []byte { return indented(content) })
	}
	return []*memoryFile{
		file("modules.json", []object{
			module(0, "", "base.modules.transformer.Transformer"),
			module(1, pooling, "sentence_transformer.modules.pooling.Pooling"),
			module(2, normalize, "base.modules.normalize.Normalize"),
		}),
		file("sentence_bert_config.json", object{
			"transformer_task":   "feature-extraction",
			"modality_config":    object{"text": object{"method": "forward", "method_output_name": "last_hidden_state"}},
			"module_output_name": "token_embeddings",
		}),
		file("config_sentence_transformers.json", object{
			"__version__":         object{"sentence_transformers": "6.0.0", "transformers": "5.0.0", "pytorch": "2.10.0"},
			"default_prompt_name": nil,
			"model_type":          "SentenceTransformer",
			"prompts":             object{"query": "", "document": ""},
			"similarity_fn_name":  "cosine",
		}),
		file(pooling+"/config.json", object{"embedding_dimension": s.Hidden, "pooling_mode": "mean", "include_prompt": true}),
		file(normalize+"/config.json", object{"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"}),
	}
}
