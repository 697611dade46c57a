package model

// electra is ELECTRA (Clark et al. 2020, arXiv:2003.10555), the discriminator: BERT with
// embeddings that may be narrower, and another head, Wo·gelu(Wd·x + bd) + bo.
var electra = architecture{
	kind: "electra", class: "Electra", prefix: "electra.", names: electraNames(), embedding: 128,
	more:       []string{"embedding_size", "summary_activation", "summary_last_dropout", "summary_type", "summary_use_proj"},
	classifier: "classifier.out_proj.weight", outside: []string{"classifier."},
	head: func(b *binder, c *Config) []Step {
		dense, out := b.linear("classifier.dense", c.HiddenSize, c.HiddenSize), b.linear("classifier.out_proj", c.Labels, c.HiddenSize)
		return []Step{{Dense: &dense}, {Act: GELU}, {Dense: &out}}
	},
}

func electraNames() names {
	n := bert.names
	n.project = "embeddings_project"
	return n
}
