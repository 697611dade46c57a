package model

import "math"

// bert is BERT (Devlin et al. 2018, arXiv:1810.04805). Its head is Wc·tanh(Wp·x + bp) + bc.
var bert = architecture{
	kind: "bert", class: "Bert", prefix: "bert.",
	names: names{
		word: "embeddings.word_embeddings", position: "embeddings.position_embeddings", types: "embeddings.token_type_embeddings", norm: "embeddings.LayerNorm",
		layer: "encoder.layer.%d.",
		query: "attention.self.query", key: "attention.self.key", value: "attention.self.value", output: "attention.output.dense", attentionNorm: "attention.output.LayerNorm",
		up: "intermediate.dense", down: "output.dense", outputNorm: "output.LayerNorm",
	},
	classifier: "classifier.weight", outside: []string{"classifier."},
	head: func(b *binder, c *Config) []Step {
		pooler, classifier := b.linear("pooler.dense", c.HiddenSize, c.HiddenSize), b.linear("classifier", c.Labels, c.HiddenSize)
		return []Step{{Dense: &pooler}, {Act: math.Tanh}, {Dense: &classifier}}
	},
}
