// Package engine scores (query, passage) pairs with a BERT cross-encoder: the
// higher the score, the better the passage answers the query.
//
//	eng, err := engine.Open("cross-encoder/ms-marco-MiniLM-L-6-v2") // hub id in the local cache, or a directory
//	if err != nil { ... }
//	defer eng.Close()
//	ranked, err := eng.Rank(ctx, "How many people live in Berlin?", docs, engine.TopK(10))
//	if err != nil { ... }
//	for _, r := range ranked {
//		fmt.Printf("%6.2f  %s\n", r.Score, docs[r.Index])
//	}
//
// Calls of any number of goroutines share passes through the model. The engine fills a pass
// from all waiting calls, in turn, an equal number of tokens each, so that a small call does
// not wait for a large one. Calls of [Background] give way to all others. [MaxQueue] and
// [MaxWait] refuse calls that would wait too long. A call returns at once when its context is
// over or the engine is closed; Shutdown lets calls end first. Stream takes more pairs than
// memory holds. No panic inside the engine reaches the caller.
//
// With the option [Embedder], Open takes a model that makes embeddings, and Embed makes them.
//
// The engine follows the checkpoint's files: a default prompt goes before each query, unless
// a call asks for another ([Prompt], [PromptName]); a pair over the maximum length is cut, or
// is an error of that pair ([PairError]). [Info] says which.
//
// A score depends on its pair and on the arithmetic, never on other pairs. By default the
// engine takes the fastest arithmetic that is close enough to float32: see [Precision].
package engine
