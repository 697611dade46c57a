// Package input joins what a checkpoint's two sides say of its tokenizer: the tokenizer's
// own files, and the configuration of the model, with what sentence-transformers keeps
// beside it.
package input

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// Asked is what a caller wants otherwise than the files say. The zero value is nothing.
type Asked struct {
	MaxLength int             // tokens of a pair, the three special ones included
	Side      *tokenizer.Side // where pairs that are too long are cut
}

// Tokenizer reads a checkpoint's tokenizer, and has it cut pairs as the
// checkpoint's configuration says: to the length that spec names, else the tokenizer's own,
// and never beyond the model's positions; by the strategy of spec. source is the file and
// the field that the length is from, "by request", or "".
//
// Where pairs are not to be cut, the length is the positions: the model takes no more, and
// a longer pair is an error of its own.
func Tokenizer(spec *model.Spec, asked Asked) (t *tokenizer.Tokenizer, source string, err error) {
	if t, err = tokenizer.LoadFS(spec.Files); err != nil {
		return nil, "", err
	}
	if spec.Input.Lowercase && !t.Lowercases() {
		return nil, "", fmt.Errorf("%w: do_lower_case of sentence-transformers, true, is not supported beside a tokenizer that does not begin with it: want a normalizer in tokenizer.json that puts texts into lower case first", model.ErrConfig)
	}
	cutting := t.Truncation()
	cutting.MaxLength, source = t.MaxLength(), t.LengthSource()
	if spec.Input.MaxLength > 0 {
		cutting.MaxLength, source = spec.Input.MaxLength, spec.Input.LengthSource
	}
	if spec.Input.Strategy != "" {
		if cutting.Strategy, err = tokenizer.ParseStrategy(spec.Input.Strategy); err != nil {
			return nil, "", err
		}
	}
	if positions := spec.MaxPositions; cutting.MaxLength > positions || cutting.Strategy == tokenizer.DoNotTruncate {
		cutting.MaxLength, source = positions, "config.json: max_position_embeddings"
	}
	switch {
	case asked.MaxLength > spec.MaxPositions:
		return nil, "", fmt.Errorf("input: max length %d tokens, the model takes %d", asked.MaxLength, spec.MaxPositions)
	case asked.MaxLength > 0:
		cutting.MaxLength, source = asked.MaxLength, "by request"
	}
	if asked.Side != nil {
		cutting.Side = *asked.Side
	}
	t, err = t.Truncating(cutting)
	return t, source, err
}
