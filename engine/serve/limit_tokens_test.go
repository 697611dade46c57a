package serve

import (
	"context"
	"io"
	"net/http/httptest"
	"slices"
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

// So may ids to be made texts of: each counts as 4 bytes. Where they are to be embedded, they may have
// all of it.
func TestLimitOfIDs(t *testing.T) {
	for path, c := range map[string]struct {
		does task
		most int
		want string
	}{
		"/decode":     {scoring, 5, "the token ids count as 24 bytes, 4 each, and for their texts --max-text allows a part of itself, 20"},
		"/embeddings": {embedding, 160, "the token ids count as 644 bytes, 4 each, and --max-text allows 640"},
	} {
		h, _ := open(t, c.does, MaxText(640))
		for n, want := range map[int]int{c.most: 200, c.most + 1: 413} {
			list := strings.TrimSuffix(strings.Repeat("7,", n), ",")
			body := `{"ids": [` + list + `]}`
			if c.does == embedding {
				body = `{"input": [` + list + `]}`
			}
			if w := send(h, "POST", path, body); w.Code != want || want == 413 && !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%s of %d: %d %s", path, n, w.Code, w.Body)
			}
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
	ids := `{"ids": [1` + strings.Repeat(",1", tokensFew/4-1) + `]}`
	if w := send(h, "POST", "/decode", ids); w.Code != 200 {
		t.Errorf("few ids: %d %s", w.Code, w.Body)
	}
	if w := send(h, "POST", "/rerank", `{"query": "a", "texts": ["`+strings.Repeat("a", tokensFew+1)+`"]}`); w.Code != 200 {
		t.Errorf("no tokens: %d %s", w.Code, w.Body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for path, body := range map[string]string{"/tokenize": many, "/decode": strings.Replace(ids, "1", "1,1", 1)} {
		if w := serveOne(h, httptest.NewRequest("POST", path, strings.NewReader(body)).WithContext(ctx)); w.Code != statusCancelled {
			t.Errorf("one of %s that has gone: %d", path, w.Code)
		}
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

// Ids, which may be nearly all of a body, have as much room as they need and no more.
func TestRoomOfIDs(t *testing.T) {
	const n = 1000
	list := "[" + strings.TrimSuffix(strings.Repeat("7,", n), ",") + "]"
	for _, json := range []string{list, "[" + list + "]"} {
		b := &body{items: 1}
		for name, read := range map[string]func(value) [][]int32{
			"/decode":     func(v value) [][]int32 { ids, _ := teiIDs(v); return ids },
			"/embeddings": func(v value) [][]int32 { _, ids, _ := inputOf(v); return ids },
		} {
			ids := read(value{b: b, name: "ids", json: []byte(json)})
			if b.failed != nil || len(ids) != 1 || len(ids[0]) != n || cap(ids[0]) > n+n/4 { // sizes of allocations are rounded up
				t.Errorf("%s: %v; %d lists, the first of %d ids with room for %d", name, b.failed, len(ids), len(ids[0]), cap(ids[0]))
			}
		}
	}
}

// How long a single text is that a pair's model is asked about is told as it was before it was cut.
func TestLengthsOfSingleTexts(t *testing.T) {
	h, _ := open(t, scoring)
	q := &question{task: classifying, most: 5, sequences: []sequence{{first: "a"}, {first: "a b c"}, {first: "a b c d"}}}
	m, _ := h.choose(q)
	a := new(answer)
	if err := m.answer(t.Context(), q, a); err != nil || !slices.Equal(a.lengths, []int{3, 5, 6}) || a.stats.Tokens != 3+5+5 {
		t.Errorf("%v; lengths %v, %d tokens were read", err, a.lengths, a.stats.Tokens)
	}
}

// Without cutting where a request does not say, a text that is too long is a failure in the dialects
// of servers that have such an option, unless the request has it cut; in others it is cut.
func TestNoAutoTruncate(t *testing.T) {
	long := strings.Repeat("b ", 600)
	for _, c := range []struct {
		does                task
		dialect, path, body string
		cut, uncut          int
	}{
		{scoring, "", "/rerank", `{"query": "a", "texts": ["LONG"]}`, 200, 422},
		{scoring, "", "/rerank", `{"query": "a", "texts": ["LONG"], "truncate": true}`, 200, 200},
		{scoring, "", "/rerank", `{"query": "a", "texts": ["b"]}`, 200, 200},
		{embedding, "", "/embed", `{"inputs": "LONG"}`, 200, 422},
		{classifying, "", "/predict", `{"inputs": "LONG"}`, 200, 422},
		{scoring, "sglang", "/v1/rerank", `{"query": "a", "documents": ["LONG"]}`, 200, 400},
		{scoring, "cohere", "/v1/rerank", `{"query": "a", "documents": ["LONG"]}`, 200, 200},
		{scoring, "vllm", "/v1/rerank", `{"query": "a", "documents": ["LONG"]}`, 400, 400}, // as vLLM has it
	} {
		for _, with := range []struct {
			opts []Option
			want int
		}{{nil, c.cut}, {[]Option{NoAutoTruncate()}, c.uncut}} {
			h, _ := open(t, c.does, append(with.opts, Dialect(c.dialect))...)
			if w := send(h, "POST", c.path, strings.Replace(c.body, "LONG", long, 1)); w.Code != with.want {
				t.Errorf("%s %s: %d %s, want %d", c.path, c.body, w.Code, w.Body, with.want)
			}
		}
	}
	for want, opts := range map[string][]Option{`"auto_truncate":true`: nil, `"auto_truncate":false`: {NoAutoTruncate()}} {
		h, _ := open(t, scoring, opts...)
		if w := send(h, "GET", "/info", ""); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s, want %s", w.Body, want)
		}
	}
}
