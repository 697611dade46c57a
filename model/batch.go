package model

import (
	"errors"
	"fmt"
)

// ErrTooLong is in every error about a sequence with more tokens than the
// model has positions.
var ErrTooLong = errors.New("model: sequence too long")

// Batch is a set of token sequences packed end to end, without padding.
//
// The zero value is an empty batch. T below is the number of tokens in all
// sequences together, S the number of sequences.
type Batch struct {
	IDs   []int32 // T token ids
	Types []int32 // T segment ids: 0 for the query, 1 for the passage
	Start []int32 // S+1 offsets: sequence s is tokens Start[s]:Start[s+1]; empty when S = 0
}

// Len returns S, the number of sequences.
func (b *Batch) Len() int { return max(len(b.Start)-1, 0) }

// Tokens returns T, the number of tokens.
func (b *Batch) Tokens() int { return len(b.IDs) }

// Bounds returns the half-open token range of sequence s.
func (b *Batch) Bounds(s int) (lo, hi int) { return int(b.Start[s]), int(b.Start[s+1]) }

// Longest returns the length of the longest sequence, in tokens. Padding would add
// Len()*Longest() - Tokens() tokens.
func (b *Batch) Longest() int {
	longest := 0
	for s := range b.Len() {
		lo, hi := b.Bounds(s)
		longest = max(longest, hi-lo)
	}
	return longest
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() { b.IDs, b.Types, b.Start = b.IDs[:0], b.Types[:0], b.Start[:0] }

// Append adds one sequence. ids and types must have the same length.
func (b *Batch) Append(ids, types []int32) {
	b.IDs = append(b.IDs, ids...)
	b.Types = append(b.Types, types...)
	b.End()
}

// End ends a sequence whose tokens were appended to IDs and Types directly. A tokenizer
// fills a batch like this, without a copy.
func (b *Batch) End() {
	if len(b.Start) == 0 {
		b.Start = append(b.Start, 0)
	}
	b.Start = append(b.Start, int32(len(b.IDs)))
}

// Slice makes dst the sequences lo to hi of b. dst shares b's tokens and has its own
// offsets.
func (b *Batch) Slice(dst *Batch, lo, hi int) {
	first, last := b.Start[lo], b.Start[hi]
	dst.IDs, dst.Types = b.IDs[first:last:last], b.Types[first:last:last]
	dst.Start = dst.Start[:0]
	for _, s := range b.Start[lo : hi+1] {
		dst.Start = append(dst.Start, s-first)
	}
}

// Validate returns an error if the model c cannot score b: the offsets do not divide all
// tokens into sequences; a sequence is empty, or longer than the model's positions
// (ErrTooLong); or a token is outside the model's vocabulary. It never panics, whatever b
// contains. If it returns nil, b can be read by its offsets without further checks. A nil
// batch is an error; an empty one is not.
func (b *Batch) Validate(c *Config) error {
	if b == nil {
		return errors.New("model: nil batch")
	}
	if len(b.IDs) != len(b.Types) {
		return fmt.Errorf("model: batch has %d ids and %d types", len(b.IDs), len(b.Types))
	}
	if len(b.Start) > 0 && b.Start[0] != 0 {
		return fmt.Errorf("model: batch's sequences begin at token %d, want 0", b.Start[0])
	}
	end := 0 // of the sequences checked so far
	for s := range b.Len() {
		lo, hi := b.Bounds(s) // lo is equal to end, which was checked
		switch {
		case hi < lo:
			return fmt.Errorf("model: sequence %d ends at token %d, before it begins at %d", s, hi, lo)
		case hi == lo:
			return fmt.Errorf("model: sequence %d has no tokens", s)
		case hi > len(b.IDs):
			return fmt.Errorf("model: sequence %d ends at token %d, the batch has %d", s, hi, len(b.IDs))
		case hi-lo > c.MaxPositions:
			return fmt.Errorf("%w: sequence %d has %d tokens, the model takes %d", ErrTooLong, s, hi-lo, c.MaxPositions)
		}
		for t := lo; t < hi; t++ {
			if id := b.IDs[t]; id < 0 || int(id) >= c.VocabSize {
				return fmt.Errorf("model: sequence %d, token %d: id %d, want 0 to %d", s, t-lo, id, c.VocabSize-1)
			}
			if typ := b.Types[t]; typ < 0 || int(typ) >= c.TypeVocabSize {
				return fmt.Errorf("model: sequence %d, token %d: type %d, want 0 to %d", s, t-lo, typ, c.TypeVocabSize-1)
			}
		}
		end = hi
	}
	if end != len(b.IDs) {
		return fmt.Errorf("model: batch has %d tokens, of which sequences have %d", len(b.IDs), end)
	}
	return nil
}
