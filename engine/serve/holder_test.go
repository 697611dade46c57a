package serve_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
)

// queue is the engines' MaxQueue: full when two calls wait.
const queue = 64

// holder keeps an engine from going on, so that calls wait.
type holder struct {
	call  func(n int) error // asks the engine something of n items
	stats func() engine.Stats

	mu      sync.Mutex
	told    int64         // of how many passes
	held    chan struct{} // a pass that has ended waits until it is closed; nil: none does
	entered chan struct{} // gets a value when one waits
	calls   sync.WaitGroup
}

// holds says which engine it is, and how it is asked.
func (h *holder) holds(e *engine.Engine, call func(n int) error) { h.call, h.stats = call, e.Stats }

// holding returns the options of an engine that the stage can have be busy.
func (s *stage) holding() []engine.Option {
	h := &holder{entered: make(chan struct{}, 1)}
	s.holders = append(s.holders, h)
	return []engine.Option{engine.Workers(1), engine.MaxQueue(queue), engine.Observe(func(engine.PassStats) { h.wait() })}
}

func (h *holder) wait() {
	h.mu.Lock()
	h.told++
	held := h.held
	h.mu.Unlock()
	if held != nil {
		h.entered <- struct{}{}
		<-held
	}
}

// idle reports whether the engine has told of all its passes: a call may return before that.
func (h *holder) idle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.told == h.stats().Passes
}

// fill has the engine's only worker wait, and its queue be full. An engine counts at most 32
// items of one call. No call is under way.
func (h *holder) fill() {
	for !h.idle() {
		time.Sleep(time.Millisecond)
	}
	h.mu.Lock()
	h.held = make(chan struct{})
	h.mu.Unlock()
	ask := func(n int) {
		h.calls.Go(func() {
			if err := h.call(n); err != nil {
				panic(fmt.Sprintf("a call that fills the queue: %v", err))
			}
		})
	}
	ask(1)
	<-h.entered
	for range queue / 32 {
		ask(32)
	}
	for h.stats().WaitingPairs < queue {
		time.Sleep(time.Millisecond)
	}
}

// release lets the engine go on, and returns when the calls of fill have ended.
func (h *holder) release() {
	h.mu.Lock()
	close(h.held)
	h.held = nil
	h.mu.Unlock()
	h.calls.Wait()
}
