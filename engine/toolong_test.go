package engine

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// openUncut opens a small model whose tokenizer cuts the passage alone.
func openUncut(t *testing.T) *Engine {
	t.Helper()
	fsys, err := synth.FS(1, synth.Shape{Layers: 1, Hidden: 64, Heads: 2, Intermediate: 64, Vocab: 30522, Positions: 512, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	e, err := OpenFS(fsys, Device("cpu"), Precision("f32"), NoCalibrationFile())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if e.tokenizer, err = e.tokenizer.Truncating(tokenizer.Truncation{MaxLength: 12, Strategy: tokenizer.OnlySecond}); err != nil {
		t.Fatal(err)
	}
	return e
}

// A pair that cannot be cut is an error of its own: its neighbours, of the same call, of a
// stream and of other calls, have the scores that they have alone.
func TestPairsThatAreNotCut(t *testing.T) {
	e := openUncut(t)
	long := strings.Repeat("long ", 20)
	var pairs []Pair
	bad := func(i int) bool { return i%7 == 3 }
	for i := range 2 * window {
		query := "a query"
		if bad(i) {
			query = long
		}
		pairs = append(pairs, Pair{query, strings.Repeat("words ", i%20)})
	}
	alone := make([]float32, 20) // by the passage's length
	for i := range alone {
		scores, err := e.Score(t.Context(), nil, []Pair{{"a query", strings.Repeat("words ", i)}})
		if err != nil {
			t.Fatal(err)
		}
		alone[i] = scores[0]
	}
	check := func(i int, score float32, err error) {
		t.Helper()
		var pair *PairError
		switch {
		case !bad(i) && (err != nil || score != alone[i%20]):
			t.Errorf("pair %d: %g, %v, want %g", i, score, err, alone[i%20])
		case bad(i) && (!math.IsNaN(float64(score)) || !errors.As(err, &pair) || pair.Index != i || !errors.Is(err, ErrTooLong) || errors.Is(err, ErrModel)):
			t.Errorf("pair %d: %g, %v, want an error of this pair", i, score, err)
		}
	}

	scores, err := e.Score(t.Context(), nil, pairs)
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(scores) != len(pairs) {
		t.Fatalf("%d scores, %v", len(scores), err)
	}
	errs := joined.Unwrap()
	for i, score := range scores {
		var one error
		if bad(i) && len(errs) > 0 {
			one, errs = errs[0], errs[1:]
		}
		check(i, score, one)
	}
	if len(errs) > 0 {
		t.Errorf("%d errors too many", len(errs))
	}

	n := 0
	for score, err := range e.Stream(t.Context(), func(yield func(Pair) bool) {
		for _, p := range pairs {
			if !yield(p) {
				return
			}
		}
	}) {
		check(n, score, err)
		n++
	}
	if n != len(pairs) {
		t.Errorf("the stream has %d scores, want %d", n, len(pairs))
	}
	if scores, err := e.Score(t.Context(), nil, pairs[:3]); err != nil || scores[2] != alone[2] {
		t.Errorf("another call: %g, %v", scores, err)
	}
}

// Tokenize leaves the batch as it was where a pair cannot be cut.
func TestTokenizeNotCut(t *testing.T) {
	e := openUncut(t)
	var b model.Batch
	if err := e.Tokenize(&b, []Pair{{"a", "b"}}); err != nil {
		t.Fatal(err)
	}
	tokens := b.Tokens()
	err := e.Tokenize(&b, []Pair{{"c", "d"}, {strings.Repeat("long ", 20), "d"}})
	var pair *PairError
	if !errors.As(err, &pair) || pair.Index != 1 || !errors.Is(err, ErrTooLong) || !errors.Is(err, tokenizer.ErrTooLong) {
		t.Errorf("error %v", err)
	}
	if b.Len() != 1 || b.Tokens() != tokens || len(b.Types) != tokens {
		t.Errorf("the batch has %d pairs, %d tokens; want 1, %d", b.Len(), b.Tokens(), tokens)
	}
}
