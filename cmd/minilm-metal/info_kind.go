package main

import (
	"errors"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/jsonscan"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// The kinds of models, by what is read of the encoder.
const (
	crossEncoder = "cross-encoder"
	embedder     = "embedder"
	classifier   = "classifier"
)

// mostLabels is how many labels are listed. --json has them all.
const mostLabels = 30

// kinds says what each kind is for.
var kinds = map[string]string{
	crossEncoder: "cross-encoder, which scores pairs: score, rank, bench",
	classifier:   "classifier, which sorts texts or pairs into classes: classify",
	embedder:     "embedder, which makes embeddings of texts: embed, similarity",
}

// truncated says what each strategy does with a pair over the maximum length.
var truncated = map[string]string{
	"longest_first":   "of a longer pair the longer text is cut down to the other, then both are",
	"only_first":      "the query alone is cut, and a pair whose passage leaves it no room is an error",
	"only_second":     "the passage alone is cut, and a pair whose query leaves it no room is an error",
	"do_not_truncate": "a longer pair is an error",
}

// openAny finds the model and opens it for what it is: for scores if it can make some.
func (f *engineFlags) openAny(p *program, opts ...engine.Option) (*engine.Engine, checkpoint, error) {
	e, found, err := f.open(p, opts...)
	var kind engine.Option
	switch {
	case errors.Is(err, model.ErrNoHead):
		kind = engine.Embedder()
	case errors.Is(err, model.ErrLabels):
		kind = engine.Classifier()
	}
	if kind != nil {
		f.encoder = true
		return f.open(p, append(opts, kind)...)
	}
	return e, found, err
}

// setKind notes what the model is for, and what there is of that kind alone.
func (a *about) setKind(info engine.Info) {
	m := &a.Model
	switch {
	case info.Dimensions > 0:
		m.Kind, m.Dimensions, m.Modules, m.Similarity = embedder, info.Dimensions, info.Modules, string(info.Similarity)
	case info.Labels != nil:
		m.Kind, m.Labels, m.Final = classifier, info.Labels, info.Final
	default:
		m.Kind, m.Activation = crossEncoder, string(info.Config.Activation)
	}
}

// writeKind writes the rows that depend on the kind. It returns what a prompt is put before.
func (a *about) writeKind(row func(name, format string, args ...any)) string {
	m := &a.Model
	cut := truncated[m.TruncationStrategy]
	switch {
	case m.Kind != embedder:
		cut = m.TruncationStrategy + ", on the " + m.TruncationSide + ": " + cut
	case m.TruncationStrategy == tokenizer.DoNotTruncate.String():
		cut = "a longer text is an error"
	default:
		cut = "a longer text is cut, on the " + m.TruncationSide
	}
	row("truncation", "%s", cut)
	switch m.Kind {
	case embedder:
		row("embedding", "%d values", m.Dimensions)
		for i, module := range m.Modules {
			row("", "%d. %s", i+1, module)
		}
		row("similarity", "%s", m.Similarity)
	case classifier:
		row("labels", "%d, by %s: %s", len(m.Labels), m.Final, jsonscan.Quoted(m.Labels, mostLabels))
	default:
		row("activation", "%s in sentence-transformers; scores here are raw logits, or their sigmoid where asked for", m.Activation)
		return "query"
	}
	return "text"
}
