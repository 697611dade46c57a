package engine_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/model"
)

// Batches and tokens that a caller put together by hand, and wrongly.
func TestBadTokens(t *testing.T) {
	e := enginetest.Open(t)
	m := methods["ScoreTokens"]
	for _, b := range []*model.Batch{
		{IDs: []int32{101}, Types: []int32{0}},
		{IDs: []int32{101}, Types: []int32{0, 0}, Start: []int32{0, 1}},
		{IDs: []int32{101}, Types: []int32{0}, Start: []int32{0, 2}},
		{IDs: []int32{101, 102}, Types: []int32{0, 0}, Start: []int32{0, 2, 1}},
		{IDs: []int32{101}, Types: []int32{0}, Start: []int32{math.MinInt32, math.MaxInt32}},
		{IDs: []int32{-1}, Types: []int32{0}, Start: []int32{0, 1}},
		{IDs: []int32{101}, Types: []int32{9}, Start: []int32{0, 1}},
		{Start: []int32{0, 0}},
	} {
		if err := m.safely(e, given{ctx: t.Context(), batch: b}); err == nil || !strings.Contains(err.Error(), "model: ") {
			t.Errorf("%+v: %v", b, err)
		}
	}
	for _, bad := range []engine.Tokens{
		{},
		{IDs: []int32{101}},
		{Types: []int32{0}},
		{IDs: []int32{101}, Types: []int32{0, 0}},
		{IDs: []int32{40000}, Types: []int32{0}},
		{IDs: []int32{101}, Types: []int32{-1}},
		{IDs: make([]int32, 513), Types: make([]int32, 513)},
	} {
		stream := method{call: func(e *engine.Engine, g given) (first error) {
			for _, err := range e.StreamTokens(g.ctx, slices.Values([]engine.Tokens{bad})) {
				first = err
			}
			return first
		}}
		if err := stream.safely(e, given{ctx: t.Context()}); err == nil || strings.Contains(err.Error(), "PANIC") {
			t.Errorf("%d ids, %d types: %v", len(bad.IDs), len(bad.Types), err)
		}
	}
	if err := m.safely(e, given{ctx: t.Context(), batch: new(model.Batch)}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A sequence that is nil has no pairs, or is an error: which, nobody needs to know.
func TestStreamOfNil(t *testing.T) {
	e := enginetest.Open(t)
	for name, m := range map[string]method{
		"Stream":       {call: func(e *engine.Engine, g given) error { return streamed(e.Stream(g.ctx, nil), 0) }},
		"StreamTokens": {call: func(e *engine.Engine, g given) error { return streamed(e.StreamTokens(g.ctx, nil), 0) }},
	} {
		if err := m.safely(e, given{ctx: t.Context()}); err != nil && !strings.HasPrefix(err.Error(), "engine: nil") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is not there to be opened, and contexts that are not there.
func TestOpenMisuse(t *testing.T) {
	for name, open := range map[string]func() (*engine.Engine, error){
		"no path":           func() (*engine.Engine, error) { return engine.Open("") },
		"no folder":         func() (*engine.Engine, error) { return engine.Open("./nosuch") },
		"no file system":    func() (*engine.Engine, error) { return engine.OpenFS(nil) },
		"an empty one":      func() (*engine.Engine, error) { return engine.OpenFS(fstest.MapFS{}) },
		"one that has none": func() (*engine.Engine, error) { return engine.OpenFS(fstest.MapFS{"config.json": {Mode: fs.ModeDir}}) },
	} {
		e, err := open()
		inPlainWords(t, err)
		if e != nil || !errors.Is(err, engine.ErrModel) {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
	var none context.Context
	if ctx := engine.Background(none); ctx != nil {
		t.Errorf("Background of no context is %v", ctx)
	}
}
