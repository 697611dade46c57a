package model

// distilbert is DistilBERT (Sanh et al. 2019, arXiv:1910.01108): BERT without token types, by
// other names, and with another head, Wc·relu(Wp·x + bp) + bc. Its LayerNorms have an epsilon
// of 1e-12 whatever config.json says.
var distilbert = architecture{
	kind: "distilbert", class: "DistilBert", prefix: "distilbert.",
	names: names{
		word: "embeddings.word_embeddings", position: "embeddings.position_embeddings", norm: "embeddings.LayerNorm",
		layer: "transformer.layer.%d.",
		query: "attention.q_lin", key: "attention.k_lin", value: "attention.v_lin", output: "attention.out_lin", attentionNorm: "sa_layer_norm",
		up: "ffn.lin1", down: "ffn.lin2", outputNorm: "output_layer_norm",
	},
	keys: map[string]string{"hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads", "intermediate_size": "hidden_dim",
		"hidden_act": "activation", "type_vocab_size": "", "layer_norm_eps": ""},
	more:       []string{"dropout", "attention_dropout", "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds", "tie_weights_"},
	classifier: "classifier.weight", outside: []string{"pre_classifier.", "classifier."},
	head: func(b *binder, c *Config) []Step {
		dense, out := b.linear("pre_classifier", c.HiddenSize, c.HiddenSize), b.linear("classifier", c.Labels, c.HiddenSize)
		return []Step{{Dense: &dense}, {Act: acts["ReLU"]}, {Dense: &out}}
	},
}
