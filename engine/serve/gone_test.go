package serve

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// dialled is a connection to a server of the handler's.
func dialled(t *testing.T, s *httptest.Server) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A client that goes away while its texts wait frees its place and leaves the queue, although
// the engine is busy for as long as it likes: no pass is computed for it.
func TestGoneClientLeavesTheQueue(t *testing.T) {
	h, e := holding(t, []Option{MaxRequests(3)})
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	t.Cleanup(e.let)
	var wg sync.WaitGroup
	e.waits(h, &wg, 1, 0)
	until(func() bool { return e.Stats().Passes == 1 && e.Stats().Running == 0 && len(h.places) == 0 })
	body := `{"query": "a", "texts": ["b"` + strings.Repeat(`,"c"`, 99) + `]}`
	for range 5 {
		var clients []net.Conn
		for range 3 {
			c := dialled(t, s)
			fmt.Fprintf(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			clients = append(clients, c)
		}
		until(func() bool { return e.Stats().WaitingPairs == 300 && len(h.places) == 3 })
		for _, c := range clients {
			c.Close()
		}
		until(func() bool { return e.Stats().WaitingPairs == 0 && len(h.places) == 0 })
	}
	if s := e.Stats(); s.Passes != 1 || s.Cancelled != 15 {
		t.Errorf("%+v", s)
	}
	until(func() bool { return sample(t, scraped(t, h), "te_request_failure", "err", "dropped") == 15 })
	e.let()
	wg.Wait()
	if w := send(h, "POST", "/rerank", teiBody); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// All bodies together have a limit, also those that have not come whole: it is that of as many
// bodies as there may be requests.
func TestBodiesInMemory(t *testing.T) {
	h, _ := open(t, scoring, MaxRequests(2), MaxBody(1000))
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	var slow []net.Conn
	for i := range 2 {
		c := dialled(t, s)
		fmt.Fprintf(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n%s", strings.Repeat(" ", 990))
		until(func() bool { return h.held.Load() == int64(990*(i+1)) })
		slow = append(slow, c)
	}
	w := send(h, "POST", "/rerank", teiBody)
	if w.Code != 429 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "what is held of all requests and replies has more than 2000 bytes, the product of --max-requests and --max-body") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, c := range slow {
		c.Close()
	}
	until(func() bool { return h.held.Load() == 0 })
	if w := send(h, "POST", "/rerank", teiBody); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// An answer that is much longer than its body is dropped where slow readers' answers are as long as
// all bodies may be. One alone is kept, however long.
func TestAnswersInMemory(t *testing.T) {
	h, e := holding(t, []Option{MaxRequests(2), MaxBody(400)})
	var wg sync.WaitGroup
	e.waits(h, &wg, 1, 0)
	until(func() bool { return e.Stats().Passes == 1 && e.Stats().Running == 0 && len(h.places) == 0 })
	body := `{"query": "a", "texts": ["b"` + strings.Repeat(`,"c"`, 39) + `], "return_text": true}`
	gone := make(chan struct{})
	replies := make(chan *unread, 2)
	for range 2 { // their bodies have come before there is an answer
		wg.Go(func() {
			u := &unread{httptest.NewRecorder(), gone}
			h.ServeHTTP(u, httptest.NewRequest("POST", "/rerank", strings.NewReader(body)))
			replies <- u
		})
	}
	until(func() bool { return e.Stats().WaitingPairs == 80 })
	e.let()
	until(func() bool { return len(h.places) == 0 }) // both are made, and one is refused
	close(gone)
	wg.Wait()
	got := map[int]int{}
	for range 2 {
		got[(<-replies).Code]++
	}
	if got[200] != 1 || got[429] != 1 || h.held.Load() != 0 {
		t.Errorf("statuses %v, %d bytes are held", got, h.held.Load())
	}
	if w := send(h, "POST", "/rerank", body); w.Code != 200 || w.Body.Len() < 800 {
		t.Errorf("%d, %d bytes", w.Code, w.Body.Len())
	}
}

// Vectors are in memory from when the engine is asked, and many to a short body.
func TestResultsInMemory(t *testing.T) {
	hold := make(chan struct{})
	let := sync.OnceFunc(func() { close(hold) })
	e := enginetest.OpenEmbedder(t, engine.Workers(1), engine.Observe(func(engine.PassStats) { <-hold }))
	t.Cleanup(let) // before the engine closes
	h := ready(t, e, MaxRequests(2), MaxBody(400))
	if w := send(h, "POST", "/embed", `{"inputs": "a"}`); w.Code != 200 { // and the engine holds after it
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	body := `{"inputs": ["a"` + strings.Repeat(`,"b"`, 6) + `]}`
	first := make(chan int)
	go func() { first <- send(h, "POST", "/embed", body).Code }()
	until(func() bool { return h.held.Load() == int64(len(body)+7*32*4) })
	if w := send(h, "POST", "/embed", body); w.Code != 429 || !strings.Contains(w.Body.String(), "more than 800 bytes") {
		t.Errorf("another: %d %s", w.Code, w.Body)
	}
	let()
	if status := <-first; status != 200 || h.held.Load() != 0 {
		t.Errorf("%d, %d bytes are held", status, h.held.Load())
	}
}

// One that goes away while its texts are computed has no more passes than were under way.
func TestGoneClientHasNoMorePasses(t *testing.T) {
	h, e := holding(t, nil, engine.TokenBudget(16))
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	t.Cleanup(e.let)
	body := `{"query": "a", "texts": ["b"` + strings.Repeat(`,"c"`, 999) + `]}`
	c := dialled(t, s)
	fmt.Fprintf(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	until(func() bool { return e.Stats().Passes == 1 && e.Stats().Running == 0 }) // of some hundred
	c.Close()
	until(func() bool { return e.Stats().WaitingPairs == 0 && len(h.places) == 0 })
	e.let()
	if w := send(h, "POST", "/rerank", teiBody); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if s := e.Stats(); s.Passes != 2 {
		t.Errorf("%d passes, want the first and one for another client", s.Passes)
	}
}

// What one has sent of its body is forgotten when it goes away.
func TestGoneClientInItsBody(t *testing.T) {
	h, _ := open(t, scoring)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	for range 10 {
		c := dialled(t, s)
		fmt.Fprintf(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{")
		until(func() bool { return h.held.Load() == 1 })
		c.Close()
		until(func() bool { return h.held.Load() == 0 })
	}
	if w := send(h, "POST", "/rerank", teiBody); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A client that sends all of its body before it reads has the answer that refuses it, however long the
// body is: a broken pipe would not tell it when to ask again.
func TestRefusedAfterItsBody(t *testing.T) {
	h, _ := open(t, scoring, Keys("key"), MaxBody(2<<20), MaxRequests(1))
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	const bytes = 7 << 20 // more than a connection has room for
	for want, c := range map[int]struct{ path, key string }{
		401: {"/rerank", ""}, 404: {"/nowhere", "key"}, 405: {"/info", "key"}, 413: {"/embed", "key"}, 429: {"/rerank", "key"},
	} {
		if want == 429 {
			h.places <- struct{}{}
		}
		conn := dialled(t, s)
		_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n%s", c.path, c.key, bytes, strings.Repeat(" ", bytes))
		if err != nil {
			t.Errorf("%d: %v while it sends", want, err)
			continue
		}
		if r, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || r.StatusCode != want {
			t.Errorf("%d: %v, %v", want, r, err)
		}
		conn.Close()
		if want == 429 {
			<-h.places
		}
	}
	if h.held.Load() != 0 {
		t.Errorf("%d bytes are held", h.held.Load())
	}
}

// leaving is the context of a client that goes away when it was asked for so many times whether it is there.
type leaving struct {
	context.Context
	asks int
}

func (l *leaving) Err() error {
	if l.asks--; l.asks < 0 {
		return context.Canceled
	}
	return nil
}

// Of the texts that are made tokens of before the engine is asked, none is begun when the client has
// gone, and the engine is not asked.
func TestGoneClientWhileTokenizing(t *testing.T) {
	h, e := open(t, scoring)
	for name, q := range map[string]*question{
		"tokens of texts":                {task: tokenizing, texts: []string{"a", "b", "c"}},
		"single texts to a pair's model": {task: classifying, sequences: []sequence{{first: "a"}, {first: "b"}, {first: "c"}}},
		"passages cut by themselves":     {task: scoring, pairs: pairsOf("a", []string{"b", "c", "d"}), second: 1},
	} {
		m, _ := h.choose(q)
		ctx := &leaving{t.Context(), 2}
		if err := m.answer(ctx, q, new(answer)); !errors.Is(err, context.Canceled) || ctx.asks != -1 {
			t.Errorf("%s: %v, and %d questions are left", name, err, ctx.asks)
		}
	}
	if s := e.Stats(); s.Calls != 0 {
		t.Errorf("%d calls of the engine", s.Calls)
	}
}
