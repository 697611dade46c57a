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
// Calls of any number of goroutines share passes through the model, which get full in turn
// by tokens: a large call keeps no small one waiting, and [Background] ones give way to all.
// [MaxQueue] and [MaxWait] refuse what would wait too long. Calls return at once when their
// context is over or the engine is closed; Shutdown lets them end. Stream takes more pairs
// than memory holds. No panic of ours crosses this API.
//
// What the checkpoint's files say of pairs is done: a default prompt goes before each query,
// unless a call asks for another ([Prompt], [PromptName]), and a pair over the maximum length
// is cut, or is an error of its own ([PairError]). [Info] says what that is.
//
// A score depends on the pair and the arithmetic, and on no other pair. Left to itself, an
// engine takes the fastest arithmetic that is close enough to float32: see [Precision].
package engine
