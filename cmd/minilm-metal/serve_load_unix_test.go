//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// load is clients that ask again and again, each on a connection that it keeps for as long as
// the server does, until they cannot connect any more. Each question has another text, whose
// score is known.
type load struct {
	t       *testing.T
	want    map[string]float32
	answers atomic.Int64
	errors  atomic.Int64 // of connections
	end     atomic.Bool  // no client asks again
	clients sync.WaitGroup
}

// start has clients ask the server at the address that url returns.
func (l *load) start(clients int, url func() string) {
	for i := range clients {
		l.clients.Go(func() {
			c := &http.Client{Transport: &http.Transport{}}
			defer c.CloseIdleConnections()
			for n := 0; !l.end.Load(); n++ {
				l.ask(c, url(), fmt.Sprintf("text %d", (i*37+n)%100))
			}
		})
	}
}

func (l *load) ask(c *http.Client, url, text string) {
	body := fmt.Sprintf(`{"query": "a", "texts": [%q], "raw_scores": true}`, text)
	// A body that net/http cannot send again by itself: each is one request.
	r, err := http.NewRequest(http.MethodPost, url+"/rerank", io.MultiReader(strings.NewReader(body)))
	if err != nil {
		l.t.Error(err)
		return
	}
	r.ContentLength = int64(len(body))
	reply, err := c.Do(r)
	if err != nil {
		l.errors.Add(1)
		if errors.Is(err, syscall.ECONNREFUSED) { // nobody is there
			return
		}
		// net.ErrClosed: the transport has read the connection's end while it wrote the question.
		if !errors.Is(err, net.ErrClosed) && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "server closed idle connection") {
			l.t.Errorf("%s: %v", text, err)
		}
		return
	}
	defer reply.Body.Close()
	answer, err := io.ReadAll(reply.Body)
	if err != nil { // part of an answer: the process was killed
		l.errors.Add(1)
		return
	}
	want := fmt.Sprintf(`[{"index":0,"score":%s}]`, appendFloat(nil, l.want[text]))
	if reply.StatusCode != http.StatusOK || string(answer) != want {
		l.t.Errorf("%s: %s %s, want %s", text, reply.Status, answer, want)
	}
	l.answers.Add(1)
}

func newLoad(t *testing.T) *load {
	l := &load{t: t, want: map[string]float32{}}
	t.Cleanup(func() { l.end.Store(true); l.clients.Wait() })
	e := tinyEngine(t)
	for i := range 100 {
		text := fmt.Sprintf("text %d", i)
		scores, err := e.Score(t.Context(), nil, []engine.Pair{{Query: "a", Passage: text}})
		if err != nil {
			t.Fatal(err)
		}
		l.want[text] = scores[0]
	}
	return l
}
