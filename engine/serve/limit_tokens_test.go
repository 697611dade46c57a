package serve

import (
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Texts to be made tokens of may have a 32nd of --max-text, since the reply is so much longer.
func TestLimitOfTokens(t *testing.T) {
	h, _ := open(t, scoring, MaxText(640))
	for bytes, want := range map[int]int{20: 200, 21: 413} {
		w := send(h, "POST", "/tokenize", `{"inputs": "`+strings.Repeat("a", bytes)+`"}`)
		if w.Code != want || want == 413 && !strings.Contains(w.Body.String(), "the texts have 21 bytes, and for their tokens --max-text allows a part of itself, 20") {
			t.Errorf("%d bytes: %d %s", bytes, w.Code, w.Body)
		}
	}
}

// Long texts to be made tokens of wait for one another, and for nobody who goes; short ones, and
// all that is not tokens alone, do not wait.
func TestTokensTakeTurns(t *testing.T) {
	h, _ := open(t, scoring)
	for range cap(h.turns) {
		h.turns <- struct{}{}
	}
	few, many := `{"inputs": "`+strings.Repeat("a", tokensFew)+`"}`, `{"inputs": "`+strings.Repeat("a", tokensFew+1)+`"}`
	if w := send(h, "POST", "/tokenize", few); w.Code != 200 {
		t.Errorf("a short one: %d %s", w.Code, w.Body)
	}
	if w := send(h, "POST", "/rerank", `{"query": "a", "texts": ["`+strings.Repeat("a", tokensFew+1)+`"]}`); w.Code != 200 {
		t.Errorf("no tokens: %d %s", w.Code, w.Body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if w := serveOne(h, httptest.NewRequest("POST", "/tokenize", strings.NewReader(many)).WithContext(ctx)); w.Code != statusCancelled {
		t.Errorf("one that has gone: %d", w.Code)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if w := send(h, "POST", "/tokenize", many); w.Code != 200 {
			t.Errorf("a long one: %d %s", w.Code, w.Body)
		}
	})
	until(func() bool { return len(h.places) == 1 })
	for range cap(h.turns) {
		<-h.turns
	}
	wg.Wait()
	if len(h.turns) != 0 || len(h.places) != 0 {
		t.Errorf("%d turns and %d places are taken", len(h.turns), len(h.places))
	}
}

// A client that does not read its reply keeps no turn from others. What it has not read counts as
// memory, and is none when it has gone.
func TestUnreadTokensKeepNoTurn(t *testing.T) {
	h, _ := open(t, scoring)
	many := `{"inputs": "` + strings.Repeat("a ", tokensFew) + `"}`
	gone := make(chan struct{})
	var wg sync.WaitGroup
	for range cap(h.turns) {
		wg.Go(func() {
			h.ServeHTTP(&unread{httptest.NewRecorder(), gone}, httptest.NewRequest("POST", "/tokenize", strings.NewReader(many)))
		})
	}
	w := send(h, "POST", "/tokenize", many)
	if w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	want := int64(cap(h.turns) * (len(many) + w.Body.Len()))
	until(func() bool { return h.held.Load() == want })
	close(gone)
	wg.Wait()
	if n := h.held.Load(); n != 0 {
		t.Errorf("%d bytes are held", n)
	}
}

// unread is a client's end of which nothing is read until it has gone.
type unread struct {
	*httptest.ResponseRecorder
	gone chan struct{}
}

func (u *unread) Write(b []byte) (int, error) {
	<-u.gone
	return 0, io.ErrClosedPipe
}
