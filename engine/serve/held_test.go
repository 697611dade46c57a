package serve

import (
	"runtime"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// held is an engine that is busy for as long as the test wants it: its only worker waits after
// each pass.
type held struct {
	*engine.Engine
	hold chan struct{}
	let  func() // lets it work from now on
}

// holding opens an engine that is held, and a handler with it.
func holding(t *testing.T, opts []Option, engineOpts ...engine.Option) (*Handler, *held) {
	t.Helper()
	h, e := handler(t, opts...), &held{hold: make(chan struct{})}
	e.let = sync.OnceFunc(func() { close(e.hold) })
	pass := h.Passes("tiny")
	e.Engine = enginetest.Open(t, append([]engine.Option{engine.Workers(1), engine.Observe(func(s engine.PassStats) {
		pass(s)
		<-e.hold
	})}, engineOpts...)...)
	t.Cleanup(e.let) // before the engine closes
	if err := h.Use(Model{"tiny", e.Engine}); err != nil {
		t.Fatal(err)
	}
	return h, e
}

// until waits for something that is about to happen on another goroutine; for ever, if it does
// not.
func until(happened func() bool) {
	for !happened() {
		runtime.Gosched()
	}
}

// waits starts requests, and returns when so many of their texts wait. The first of all has its
// answer already.
func (e *held) waits(h *Handler, wg *sync.WaitGroup, requests, texts int) {
	for range requests {
		wg.Go(func() { send(h, "POST", "/rerank", teiBody) })
	}
	until(func() bool { return e.Stats().WaitingPairs == texts })
}
