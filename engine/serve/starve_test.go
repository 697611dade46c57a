package serve

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// A request with a thousand texts, which takes hundreds of passes, does not keep a small one that
// comes later from its answer: that has it after two passes more, while the large one goes on.
func TestLargeNeverStarvesSmall(t *testing.T) {
	h, e := holding(t, nil, engine.TokenBudget(16))
	answered := func(body string) *atomic.Int32 {
		status := new(atomic.Int32)
		go func() { status.Store(int32(send(h, "POST", "/rerank", body).Code)) }()
		return status
	}
	large := answered(`{"query": "a", "texts": ["b"` + strings.Repeat(`,"c"`, 999) + `]}`)
	until(func() bool { return e.Stats().Passes == 1 && e.Stats().Running == 0 }) // and is held
	before := e.Stats().WaitingPairs
	small := answered(`{"query": "d", "texts": ["e"]}`)
	until(func() bool { return e.Stats().WaitingPairs == before+1 })
	for range 2 {
		e.hold <- struct{}{}
	}
	until(func() bool { return small.Load() == http.StatusOK })
	if n := e.Stats().Passes; n > 3 {
		t.Errorf("%d passes, want at most one after each of two", n)
	}
	if status := large.Load(); status != 0 {
		t.Errorf("the large request has its answer: %d", status)
	}
	e.let()
	until(func() bool { return large.Load() == http.StatusOK })
}
