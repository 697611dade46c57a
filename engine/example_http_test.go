package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
)

// reranker answers {"query": ..., "passages": [...]} with the passages' order, best first.
type reranker struct {
	engine *engine.Engine
	limit  time.Duration // for a request
}

func (s reranker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Query    string
		Passages []string
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// The request's context ends when the client hangs up: nothing is computed for him.
	ctx, cancel := context.WithTimeout(r.Context(), s.limit)
	defer cancel()
	ranked, err := s.engine.Rank(ctx, request.Query, request.Passages)
	switch {
	case errors.Is(err, engine.ErrOverloaded): // said at once
		w.Header().Set("Retry-After", "1")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case errors.Is(err, context.DeadlineExceeded):
		http.Error(w, "no time left", http.StatusGatewayTimeout)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(ranked); err != nil {
			return // the client has gone
		}
	}
}

// A handler with a deadline and a bounded queue.
func Example_handler() {
	// So that there is a queue to be full: with one worker, who is kept busy.
	hold := make(chan struct{})
	eng := open(engine.Workers(1), engine.MaxQueue(1), engine.Observe(func(engine.PassStats) { <-hold }))
	ask := func(limit time.Duration) {
		body := strings.NewReader(`{"query": "museums", "passages": ["Berlin has museums."]}`)
		w := httptest.NewRecorder()
		reranker{eng, limit}.ServeHTTP(w, httptest.NewRequest("POST", "/rerank", body))
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("Retry-After"))
	}
	ask(time.Minute)
	ask(0)

	other := make(chan error)
	go func() {
		_, err := eng.Rank(context.Background(), "museums", berlin[:1])
		other <- err
	}()
	for eng.Stats().WaitingPairs == 0 {
		time.Sleep(time.Millisecond)
	}
	ask(time.Minute)
	close(hold)
	fmt.Println("the other:", <-other)

	// No new calls, and those under way have some time.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Println("shutdown:", eng.Shutdown(ctx))
	// Output:
	// 200 ""
	// 504 ""
	// 503 "1"
	// the other: <nil>
	// shutdown: <nil>
}
