// Package input makes a checkpoint's tokenizer. It combines the tokenizer's own files with the
// model's configuration and the files of sentence-transformers beside it.
package input

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// Asked is what a caller wants instead of what the files say. The zero value changes
// nothing.
type Asked struct {
	MaxLength int             // the most tokens in a pair, special tokens included
	Side      *tokenizer.Side // the side on which texts that are too long are cut
}

// Tokenizer reads a checkpoint's tokenizer and makes it cut pairs as the configuration
// says. The maximum length is asked.MaxLength, else the length in spec, else the
// tokenizer's own, but never more than the model's positions; the strategy is that of spec.
// source says where the length comes from: a file and its field, "by request", or "".
//
// If pairs are not to be cut, the length is the number of positions, because the model
// takes no more; a longer pair is an error of that pair.
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
