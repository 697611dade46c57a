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
// not wait for a large one; passes of calls that need several pause for one that needs a single
// pass, within about two milliseconds. Calls of [Background] give way to all others. [MaxQueue] and
// [MaxWait] refuse calls that would wait too long. A call returns at once when its context is
// over or the engine is closed; Shutdown lets calls end first. Stream takes more pairs than
// memory holds. No panic inside the engine reaches the caller.
//
// One-pair calls, a few a second, on two cores of Zen 4: latency in ms, median and 99th
// percentile, of 121 to 132 calls, so that the latter is nearly the worst. ("Before" is without
// this queue, of 10 to 65 calls.)
//
//	                  alone        beside one call of 100,000 pairs   beside eight
//	float32           15.8, 28.3   11.4, 24.6                         12.0, 22.1
//	before, float32   17.6, 30.3   94, 176                            737, 775
//	int8              5.8, 10.5    3.6, 7.3                           3.5, 9.6
//	before, int8      7.1, 14.5    28, 59                             219, 241
//
// Alone, each call finds sleeping cores and cold caches; calls that follow one another without a
// pause take 9 and 3.3 ms. "minilm-metal bench --mix" and "--overload" measure this on any machine.
//
// With the option [Embedder], Open takes a model that makes embeddings, and Embed makes them;
// with [Classifier] one that sorts texts or pairs into classes, for Classify and ClassifyPairs.
//
// The engine follows the checkpoint's files: a default prompt goes before each query, unless
// a call asks for another ([Prompt], [PromptName]); a pair over the maximum length is cut, or
// is an error of that pair ([PairError]). [Info] says which.
//
// A score depends on its pair and on the arithmetic, never on other pairs. By default the
// engine takes the fastest arithmetic that is close enough to float32: see [Precision].
package engine
