// Package engine runs BERT cross-encoders, which score pairs, embedders and classifiers.
//
//	eng, err := engine.Open("cross-encoder/ms-marco-MiniLM-L-6-v2") // hub id in the local cache, or a directory
//	defer eng.Close()
//	ranked, err := eng.Rank(ctx, "How many people live in Berlin?", docs, engine.TopK(10))
//
// With [Embedder], Open takes a model for Embed; with [Classifier], one for Classify.
// Goroutines share an [Engine]; no result depends on others' texts or options.
package engine
