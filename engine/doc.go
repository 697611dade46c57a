// Package engine scores (query, passage) pairs with a BERT cross-encoder: the
// higher the score, the better the passage answers the query.
//
//	eng, err := engine.Open("cross-encoder/ms-marco-MiniLM-L-6-v2") // hub id in the local cache, or a directory
//	if err != nil { ... }
//	defer eng.Close()
//	ranked, err := eng.Rank(ctx, "How many people live in Berlin?", docs, engine.TopK(10))
//	for _, r := range ranked {
//		fmt.Printf("%6.2f  %s\n", r.Score, docs[r.Index])
//	}
//
// A call goes text -> tokens -> packed batch -> shards -> scores: pairs are
// tokenized into one batch without padding, the batch is cut by tokens into as
// many shards as the device runs passes at once (a GPU wants a few large ones), and
// each shard is one pass through the encoder. A score does not depend on what else is in the batch.
//
// Left to itself, an engine takes the precision that is fastest on this machine among
// those whose scores are close enough to float32's: it measures each on one layer, and
// judges scores on pairs that are made up, from short to the longest. That takes some
// tenths of a second the first time; the figures are kept in the user's cache directory
// ([CalibrationFile]), and what opens the same model after that takes the same precision
// at once. Who needs the same bits everywhere names a [Precision].
//
// Go's own profiles tell a call's stages apart: goroutines carry the label
// stage=tokenize or stage=forward beside those of the call's context, and
// execution traces have a task for the call, with a region for each stage and for
// the wait for a free pass (queue).
//
// An Engine is safe for concurrent use. No panic crosses this API.
package engine
