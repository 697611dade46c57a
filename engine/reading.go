package engine

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// reading is how a call makes tokens of its texts. It does not change while the call is under way.
type reading struct {
	tokenizer *tokenizer.Tokenizer // the engine's, or one that cuts as the call wants
	prompt    string               // before the query of each pair, or each text
	single    bool                 // the call has single texts, which are its pairs' queries
	limit     int                  // the most tokens of a pair or text
	uncut     bool                 // by the call's wish
}

// set makes r that of a call of the method with these options, or returns an error about them.
func (r *reading) set(e *Engine, m *method, o *callOptions) error {
	r.tokenizer, r.prompt, r.single, r.limit = e.tokenizer, e.prompts.text, m.single, e.info.MaxLength
	if o.given == 0 {
		return nil
	}
	return r.follow(e, m, o)
}

// follow is set for a call that has options.
func (r *reading) follow(e *Engine, m *method, o *callOptions) error {
	if err := o.check(m); err != nil {
		return err
	}
	r.uncut = o.given&optUncut != 0
	if o.given&optAtMost != 0 {
		r.limit = min(r.limit, o.atMost)
	}
	var err error
	if r.prompt, err = e.prompts.of(o); err == nil {
		r.tokenizer, err = o.cutting(e.tokenizer)
	}
	return err
}

// append appends a pair's tokens to b, or those of the query alone, as a single text. A pair that
// is too long is a *TooLongError, and appends none.
func (r *reading) append(b *model.Batch, p Pair) (err error) {
	if r.single {
		b.IDs, b.Types, err = r.tokenizer.AppendText(b.IDs, b.Types, r.prompt+p.Query)
	} else {
		b.IDs, b.Types, err = r.tokenizer.AppendPair(b.IDs, b.Types, r.prompt+p.Query, p.Passage)
	}
	if err != nil {
		return &TooLongError{Tokens: r.length(p), Limit: r.tokenizer.MaxLength(), cause: err, uncut: r.uncut}
	}
	return nil
}

// length returns how many tokens a pair has before it is cut.
func (r *reading) length(p Pair) int {
	if r.single {
		return r.tokenizer.TextLength(r.prompt + p.Query)
	}
	return r.tokenizer.PairLength(r.prompt+p.Query, p.Passage)
}

// lengthOf is length for a pair of which append has appended so many tokens, or failed.
func (r *reading) lengthOf(p Pair, appended int, err error) int {
	if long, ok := err.(*TooLongError); ok {
		return long.Tokens
	}
	if appended < r.tokenizer.MaxLength() { // who is cut has as many as there may be
		return appended
	}
	return r.length(p)
}

// TooLongError says of a pair or text that it is too long and may not be cut, by the option
// [Uncut] or by the checkpoint's files. It is an ErrTooLong, in a [PairError] or [TextError].
type TooLongError struct {
	Tokens int // that it has, special tokens and prompt included; tokenizer.NoLimit if they cannot be counted
	Limit  int // the most that it may have
	cause  error
	uncut  bool
}

// Error says how many tokens there are, and how many there may be.
func (e *TooLongError) Error() string {
	switch {
	case e.cause == nil: // another package's
		return fmt.Sprintf("too long: %d tokens, want at most %d", e.Tokens, e.Limit)
	case e.Tokens >= tokenizer.NoLimit:
		return plain(e.cause.Error())
	case e.uncut:
		return fmt.Sprintf("too long: %d tokens, want at most %d, since the option Uncut cuts none", e.Tokens, e.Limit)
	}
	return fmt.Sprintf("%s; there are %d", plain(e.cause.Error()), e.Tokens)
}

// Is reports whether target is ErrTooLong.
func (e *TooLongError) Is(target error) bool { return target == ErrTooLong }

// Unwrap returns the tokenizer's error.
func (e *TooLongError) Unwrap() error { return e.cause }
