package serve

import (
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// task is what is asked of a model.
type task int

const (
	scoring      task = iota // a score for each pair
	embedding                // a vector for each text
	classifying              // the probability of each label for each sequence
	tokenizing               // the tokens of each text; any model does that
	detokenizing             // the text of each list of ids; any model does that
)

// tasks name the tasks as the model's kind, for errors.
var tasks = [...]string{scoring: "a reranker", embedding: "an embedder", classifying: "a classifier", tokenizing: "any model", detokenizing: "any model"}

// scale says what a score is.
type scale int

const (
	sigmoid scale = iota // 1/(1+exp(-logit)), between 0 and 1
	raw                  // the model's logit
	ofModel              // whichever the checkpoint's files say that its scores are
)

// sequence is a text to be classified, or a pair of texts.
type sequence struct {
	first, second string
	pair          bool
}

// question is what a request asks, whatever its dialect. The zero value of each field asks for
// nothing special.
type question struct {
	task  task
	model string // its name; "" is the default

	pairs     []engine.Pair // to be scored
	texts     []string      // to be embedded, or made tokens of
	sequences []sequence    // to be classified
	ids       [][]int32     // to be made texts of
	single    bool          // the request has a single text where it may have a list: metrics tell them apart

	scale scale // of scores, or of a classifier's values: sigmoid for its probabilities
	top   int   // so many of the best alone; 0 for all

	// How long texts are treated.
	uncut  bool            // one that would be cut is a failure
	most   int             // tokens in a pair or text; 0: the engine's maximum. Never more than that
	second int             // tokens of a pair's second text alone; 0: no limit of its own
	first  int             // tokens of a pair's first text alone
	side   *tokenizer.Side // nil: the engine's

	// Of embeddings.
	prompt     string // the name of the prompt before each text; "" for the default
	dimensions int    // the first so many values, again of length 1; 0 for all
	long       bool   // not scaled to length 1

	// Of tokens, and of texts made of ids.
	bare bool // without special tokens
}

// pairsOf pairs a query with each passage.
func pairsOf(query string, passages []string) []engine.Pair {
	pairs := make([]engine.Pair, len(passages))
	for i, p := range passages {
		pairs[i] = engine.Pair{Query: query, Passage: p}
	}
	return pairs
}

// items is how many pairs, texts, sequences or lists of ids the question has.
func (q *question) items() int { return len(q.pairs) + len(q.texts) + len(q.sequences) + len(q.ids) }
