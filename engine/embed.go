package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/minilm-metal/minilm-metal/engine/vectors"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modules"
)

// TextError is an error about one text of a call. The other texts have their results.
type TextError struct {
	Index int // of the text in the call
	Err   error
}

func (e *TextError) Error() string { return fmt.Sprintf("text %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *TextError) Unwrap() error { return e.Err }

// DimensionsError is Open's error about more [Dimensions] than the model's embeddings have.
type DimensionsError struct{ Asked, Most int }

func (e *DimensionsError) Error() string {
	return fmt.Sprintf("engine: %d dimensions: the model's embeddings have %d values", e.Asked, e.Most)
}

// Embed appends the embedding of each text to dst, Info's Dimensions values each, in the
// texts' order, and returns the extended slice. The engine must have been opened with
// [Embedder]. What the checkpoint's modules do, Embed does: pooling, dense layers, unit length.
// Info's Similarity compares two embeddings, and package vectors stores them in fewer bytes.
//
// As in Score, an embedding does not depend on other texts, bit for bit on the processor; the
// checkpoint's default prompt is put before each text, unless a call asks for another; ctx,
// limits and concurrent use are as there. If a value of an embedding is not finite, or the text
// is too long and may not be cut, all its values are NaN and the error holds a *TextError for
// it. On any other error Embed returns dst unchanged.
func (e *Engine) Embed(ctx context.Context, dst []float32, texts []string, opts ...CallOption) ([]float32, error) {
	c := e.newCall(&methodEmbed, opts)
	c.texts = texts
	return e.answer(ctx, dst, c)
}

// EmbedTokens is Embed for texts that are tokens already. It neither cuts them nor adds special
// tokens or a prompt, as in ScoreTokens. b must not change until EmbedTokens returns. Of the
// options, StatsTo and Unnormalized apply.
func (e *Engine) EmbedTokens(ctx context.Context, dst []float32, b *model.Batch, opts ...CallOption) ([]float32, error) {
	if b == nil {
		return dst, e.ended(errors.New("engine: nil batch"))
	}
	c := e.newCall(&methodEmbedTokens, opts)
	c.tokens = b
	return e.answer(ctx, dst, c)
}

// EmbedStream is Embed for texts that come one by one, as Stream is Score: it yields an
// embedding for each text, in their order, and holds about a thousand at a time. What it yields
// belongs to the caller. A *TextError is about one text, whose values are NaN; any other error
// comes without values, and is the last thing yielded.
func (e *Engine) EmbedStream(ctx context.Context, texts iter.Seq[string], opts ...CallOption) iter.Seq2[[]float32, error] {
	return owned(e.stream(&methodEmbedStream, ctx, feed(texts, ofText), opts))
}

// similarity returns how the checkpoint's embeddings are to be compared. No embedding depends on
// that: a name that is not known is a warning, and cosine is used, as in the library.
func similarity(spec *model.Spec) (vectors.Similarity, []string) {
	s, err := vectors.ParseSimilarity(spec.Similarity)
	if err != nil {
		return vectors.Cosine, []string{fmt.Sprintf("%s: similarity_fn_name: %.80q is not known here: cosine is used, as in sentence-transformers", modules.Settings, spec.Similarity)}
	}
	return s, nil
}
