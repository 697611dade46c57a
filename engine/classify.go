package engine

import (
	"context"
	"iter"
)

// Classify appends the probability of each label for each text to dst, in the order of Info's
// Labels, text by text, and returns the extended slice. The engine must have been opened with
// [Classifier].
//
// The probabilities are those of transformers' text-classification pipeline: their sum is 1 if
// one label is right (softmax); if several may be, or there is only one label, each is between
// 0 and 1 by itself (sigmoid); and values of a regression stay what they are. Info's Final says
// which. With the option [Logits], or RawScores in a call, they are raw logits.
//
// All else is as in Score: no text's values depend on another text, and long texts are cut. If
// the model's output for a text is not finite, or the text is too long and may not be cut, its
// values are NaN and the error holds a *TextError for it. On any other error Classify returns
// dst unchanged.
func (e *Engine) Classify(ctx context.Context, dst []float32, texts []string, opts ...CallOption) ([]float32, error) {
	c := e.newCall(&methodClassify, opts)
	c.texts = texts
	return e.answer(ctx, dst, c)
}

// ClassifyPairs is Classify for pairs of texts, such as a premise (Query) and a hypothesis
// (Passage). Errors about single pairs are *PairError.
func (e *Engine) ClassifyPairs(ctx context.Context, dst []float32, pairs []Pair, opts ...CallOption) ([]float32, error) {
	c := e.newCall(&methodClassifyPairs, opts)
	c.pairs = pairs
	return e.answer(ctx, dst, c)
}

// ClassifyStream is Classify for texts that come one by one, as Stream is Score. It yields the
// values of each text's labels, which belong to the caller. A *TextError is about one text, whose
// values are NaN; any other error comes without values, and is the last thing yielded.
func (e *Engine) ClassifyStream(ctx context.Context, texts iter.Seq[string], opts ...CallOption) iter.Seq2[[]float32, error] {
	return owned(e.stream(&methodLabels, ctx, feed(texts, ofText), opts))
}

// ClassifyPairsStream is ClassifyStream for pairs. Errors about single pairs are *PairError.
func (e *Engine) ClassifyPairsStream(ctx context.Context, pairs iter.Seq[Pair], opts ...CallOption) iter.Seq2[[]float32, error] {
	return owned(e.stream(&methodLabelsOfPairs, ctx, feed(pairs, ofPair), opts))
}
