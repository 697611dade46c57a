package engine_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/model"
)

// given is what a method of Engine is called with. Whatever is nil in it the method gets.
type given struct {
	ctx   context.Context
	batch *model.Batch
	pairs []engine.Pair
}

// what is what a method takes of given, beyond which it does not depend on anything.
type what int

const (
	takesContext what = 1 << iota
	takesBatch
	takesPairs // and appends their scores to a slice
)

// method calls a method of Engine, and returns the error that the caller sees in the end,
// or a fault of the results.
type method struct {
	takes what
	call  func(*engine.Engine, given) error
}

// methods are all that an Engine has.
var methods = map[string]method{
	"Score": {takesContext | takesPairs, func(e *engine.Engine, g given) error {
		stats, lengths := engine.CallStats{Pairs: 9}, make([]int, 9)
		scores, err := e.Score(g.ctx, []float32{7}, g.pairs, engine.StatsTo(&stats), engine.LengthsTo(&lengths), engine.StatsTo(nil), engine.LengthsTo(nil), engine.StatsTo(&stats), engine.LengthsTo(&lengths))
		if n := len(scores) - 1; stats.Pairs != n || len(lengths) != n {
			return fmt.Errorf("%d pairs counted, %d lengths, want %d", stats.Pairs, len(lengths), n)
		}
		return appended(g.pairs)(scores, err)
	}},
	"Tokenizer": {0, func(e *engine.Engine, _ given) error {
		return need(e.Tokenizer().VocabSize() == e.Info().Config.VocabSize, "another vocabulary")
	}},
	"ScoreTokens": {takesContext | takesBatch, func(e *engine.Engine, g given) error {
		return appended(make([]engine.Pair, sequences(g.batch)))(e.ScoreTokens(g.ctx, []float32{7}, g.batch))
	}},
	"Stream": {takesContext | takesPairs, func(e *engine.Engine, g given) error {
		return streamed(e.Stream(g.ctx, slices.Values(g.pairs)), len(g.pairs))
	}},
	"StreamTokens": {takesContext | takesPairs, func(e *engine.Engine, g given) error {
		return streamed(e.StreamTokens(g.ctx, func(yield func(engine.Tokens) bool) {
			for range g.pairs {
				if !yield(engine.Tokens{IDs: []int32{101, 102}, Types: []int32{0, 0}}) {
					return
				}
			}
		}), len(g.pairs))
	}},
	"Rank": {takesContext | takesPairs, func(e *engine.Engine, g given) error {
		passages := make([]string, len(g.pairs))
		results, err := e.Rank(g.ctx, "", passages, nil)
		if err == nil && len(results) != len(g.pairs) || err != nil && len(results) != 0 {
			return fmt.Errorf("%d results for %d passages, %v", len(results), len(g.pairs), err)
		}
		return err
	}},
	"Tokenize": {takesBatch, func(e *engine.Engine, g given) error {
		before := sequences(g.batch)
		err := e.Tokenize(g.batch, g.pairs)
		if err == nil && g.batch.Len() != before+len(g.pairs) {
			return fmt.Errorf("%d sequences, want %d", g.batch.Len(), before+len(g.pairs))
		}
		return err
	}},
	// Of engines that are opened for scores; TestEmbedOrScore and TestClassifyOnly have others.
	"Embed": {0, func(e *engine.Engine, g given) error {
		stats, lengths := engine.CallStats{Pairs: 9}, make([]int, 9)
		got, err := e.Embed(g.ctx, []float32{7}, []string{"a"}, nil, engine.StatsTo(&stats), engine.LengthsTo(&lengths))
		return need(len(got) == 1 && err != nil && stats == (engine.CallStats{}) && len(lengths) == 0, "an embedding of a cross-encoder")
	}},
	"EmbedTokens": {0, func(e *engine.Engine, g given) error {
		got, err := e.EmbedTokens(g.ctx, []float32{7}, g.batch, nil)
		return need(len(got) == 1 && err != nil, "an embedding of a cross-encoder")
	}},
	"Classify": {0, func(e *engine.Engine, g given) error {
		got, err := e.Classify(g.ctx, []float32{7}, []string{"a"}, nil)
		return need(len(got) == 1 && err != nil, "labels of a cross-encoder")
	}},
	"ClassifyPairs": {0, func(e *engine.Engine, g given) error {
		got, err := e.ClassifyPairs(g.ctx, []float32{7}, []engine.Pair{{}}, nil)
		return need(len(got) == 1 && err != nil, "labels of a cross-encoder")
	}},
	"EmbedStream": {0, func(e *engine.Engine, g given) error {
		return refusedRows(e.EmbedStream(g.ctx, slices.Values([]string{"a"}), nil))
	}},
	"ClassifyStream": {0, func(e *engine.Engine, g given) error {
		return refusedRows(e.ClassifyStream(g.ctx, slices.Values([]string{"a"}), nil))
	}},
	"ClassifyPairsStream": {0, func(e *engine.Engine, g given) error {
		return refusedRows(e.ClassifyPairsStream(g.ctx, slices.Values([]engine.Pair{{}}), nil))
	}},
	"Info":  {0, func(e *engine.Engine, _ given) error { return need(e.Info().Device != "", "no device in Info") }},
	"Stats": {0, func(e *engine.Engine, _ given) error { return need(e.Stats().Calls >= 0, "calls below 0") }},
	"GPUName": {0, func(e *engine.Engine, _ given) error {
		return need((e.GPUName() != "") == (e.Info().Device == "metal"), "a GPU's name, or none")
	}},
	"GPUMemoryBytes": {0, func(e *engine.Engine, _ given) error {
		bytes, known := e.GPUMemoryBytes()
		return need(known || bytes == 0, "bytes that are not known")
	}},
	"GPUBusy": {0, func(e *engine.Engine, _ given) error {
		busy, known := e.GPUBusy()
		return need(known || busy == 0, "a time that is not known")
	}},
	"PeakFLOPS": {0, func(e *engine.Engine, _ given) error {
		peak, known := e.PeakFLOPS()
		return need(known || peak == 0, "a peak that is not known")
	}},
	"TimeKernels": {0, func(e *engine.Engine, _ given) error {
		stop, known := e.TimeKernels()
		if known {
			stop()
		}
		return need(known == (stop != nil), "no function, or one too many")
	}},
	"Close":    {0, func(e *engine.Engine, _ given) error { return errors.Join(e.Close(), e.Close()) }},
	"Shutdown": {takesContext, func(e *engine.Engine, g given) error { return e.Shutdown(g.ctx) }},
}

func need(good bool, fault string) error {
	if !good {
		return errors.New(fault)
	}
	return nil
}

// refusedRows is an error unless the stream yields an error alone.
func refusedRows(stream iter.Seq2[[]float32, error]) error {
	got := 0
	for row, err := range stream {
		got++
		if row != nil || err == nil {
			return fmt.Errorf("%g of an engine that makes no such thing, %v", row, err)
		}
	}
	return need(got == 1, "not one error")
}

func sequences(b *model.Batch) int {
	if b == nil {
		return 0
	}
	return b.Len()
}

// appended looks at what was appended to {7}: the scores, or nothing if there is an error.
func appended(pairs []engine.Pair) func([]float32, error) error {
	return func(scores []float32, err error) error {
		n := 1
		if err == nil {
			n += len(pairs)
		}
		if len(scores) != n || scores[0] != 7 {
			return fmt.Errorf("%g of %d pairs, %v", scores, len(pairs), err)
		}
		return err
	}
}

// streamed returns the error that ended a stream of n pairs, or its fault.
func streamed(stream iter.Seq2[float32, error], n int) (last error) {
	got := 0
	for _, err := range stream {
		if last != nil {
			return fmt.Errorf("a score follows %w", last)
		}
		if last = err; err == nil {
			got++
		}
	}
	if last == nil && got != n {
		return fmt.Errorf("%d scores of %d pairs", got, n)
	}
	return last
}

// safely turns a panic into an error: that is what must not come.
func (m method) safely(e *engine.Engine, g given) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("PANIC: %v", r)
		}
	}()
	return m.call(e, g)
}

// Every method that there is, with everything that can be nil, empty or over: an error
// that says so, or a defined result.
func TestMisuse(t *testing.T) {
	of := reflect.TypeFor[*engine.Engine]()
	for i := range of.NumMethod() {
		if name := of.Method(i).Name; methods[name].call == nil {
			t.Errorf("%s is not tested", name)
		}
	}
	one := []engine.Pair{{Query: "a", Passage: "b"}}
	cause := errors.New("the reason")
	over, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	tokens := func() *model.Batch {
		b := new(model.Batch)
		b.Append([]int32{101, 102}, []int32{0, 0})
		return b
	}
	for name, m := range methods {
		t.Run(name, func(t *testing.T) {
			e := enginetest.Open(t)
			ctx := t.Context()
			is := func(fault string, want error, g given) {
				t.Helper()
				if err := m.safely(e, g); !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", fault, err, want)
				}
			}
			says := func(fault, want string, g given) {
				t.Helper()
				if err := m.safely(e, g); err == nil || err.Error() != want {
					t.Errorf("%s: %v, want %q", fault, err, want)
				}
			}
			if name == "Close" || name == "Shutdown" {
				if m.takes&takesContext != 0 {
					says("nil context", "engine: nil context", given{})
				}
				is("open", nil, given{ctx: ctx})
				is("closed", nil, given{ctx: ctx})
				return
			}
			is("nothing to do", nil, given{ctx: ctx, batch: new(model.Batch)})
			is("an empty slice", nil, given{ctx: ctx, batch: &model.Batch{Start: []int32{0}}, pairs: []engine.Pair{}})
			is("one pair", nil, given{ctx: ctx, batch: tokens(), pairs: one})
			if m.takes&takesContext != 0 {
				says("nil context", "engine: nil context", given{batch: tokens(), pairs: one})
				says("nil context, nothing to do", "engine: nil context", given{batch: new(model.Batch)})
				is("a context that is over", cause, given{ctx: over, batch: tokens(), pairs: one})
			}
			if m.takes&takesBatch != 0 {
				says("nil batch", "engine: nil batch", given{ctx: ctx, pairs: one})
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			if m.takes&takesContext != 0 {
				is("closed", engine.ErrClosed, given{ctx: ctx, batch: tokens(), pairs: one})
			} else {
				is("closed", nil, given{ctx: ctx, batch: tokens(), pairs: one})
			}
		})
	}
}
