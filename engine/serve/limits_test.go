package serve

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
)

// Each limit is an error that names it, its value and its flag, with its own status.
func TestLimits(t *testing.T) {
	h, _ := open(t, scoring, MaxBody(1000), MaxItems(5), MaxText(200))
	list := func(n int, text string) string {
		return strings.TrimSuffix(strings.Repeat(fmt.Sprintf("%q,", text), n), ",")
	}
	for _, c := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"at the limits", `{"query": "` + strings.Repeat("q", 36) + `", "texts": [` + list(5, "text") + `]}`, 200, ""},
		{"a byte of a text more", `{"query": "` + strings.Repeat("q", 36) + `", "texts": [` + list(4, "text") + `,"texts"]}`, 413,
			"the texts have 201 bytes, a query counted with each of its passages, and --max-text allows 200"},
		{"a text more", `{"query": "q", "texts": [` + list(6, "t") + `]}`, 422, `field "texts" has more than 5 elements, the limit of --max-items`},
		{"a body of more bytes", `{"query": "q", "texts": ["t"]` + strings.Repeat(" ", 1000) + `}`, 413, "the body has more than 1000 bytes, the limit of --max-body"},
	} {
		w := send(h, "POST", "/rerank", c.body)
		if w.Code != c.status || !strings.Contains(strings.ReplaceAll(w.Body.String(), `\"`, `"`), c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.name, w.Code, w.Body, c.status, c.want)
		}
	}
}

// Texts above the limit are not read, not even to count characters: a body of 7 MB with a long query and
// ten thousand passages would take a minute.
func TestNothingIsReadAboveTheLimit(t *testing.T) {
	h, _ := open(t, scoring, MaxText(200))
	q := question{task: scoring, pairs: pairsOf(strings.Repeat("q", 100), []string{"a", "b"})}
	x := &exchange{h: h, r: httptest.NewRequest("POST", "/rerank", nil)}
	if _, f := h.run(x, &q, nil); f == nil || f.kind != tooLarge || x.facts.length != 0 || x.facts.items != 2 {
		t.Errorf("%v, %+v", f, x.facts)
	}
}

// A document that is an object has few texts. What it has besides costs nothing.
func TestFieldsOfADocument(t *testing.T) {
	h, _ := open(t, scoring)
	members := func(n int, value string) (list string) {
		for i := range n {
			list += fmt.Sprintf(`, "f%d": %s`, i, value)
		}
		return list
	}
	for more, want := range map[string]string{
		members(mostFields-1, `"b"`): `"index":0`,
		members(999, "[1]"):          `"index":0`,
		members(mostFields, `"b"`):   `field \"documents[0]\": an object with more than 256 texts`,
	} {
		w := send(h, "POST", "/v1/rerank", `{"query": "a", "documents": [{"text": "a"`+more+`}]}`)
		if ok := strings.HasPrefix(want, `"`); (w.Code == 200) != ok || !ok && w.Code != 422 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%.30s: %d %.300s, want %s", more, w.Code, w.Body, want)
		}
	}
}

func TestLimitOptions(t *testing.T) {
	for want, opt := range map[string]Option{
		"serve: texts of 0 bytes": MaxText(0),
		"serve: -1s for a body":   BodyTimeout(-time.Second),
		"serve: -1s for a reply":  ReplyTimeout(-time.Second),
	} {
		if h, err := New(opt); h != nil || err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A full queue refuses at once, in each dialect's way, with the limit's flag and the time after
// which to ask again; what waits is answered, and then others are, too.
func TestFullQueue(t *testing.T) {
	h, e := holding(t, nil, engine.MaxQueue(3))
	var wg sync.WaitGroup
	e.waits(h, &wg, 1, 0) // the pass that holds
	until(func() bool { return e.Stats().Running == 0 && e.Stats().Passes == 1 })
	e.waits(h, &wg, 3, 3)
	for _, c := range []struct{ path, body string }{
		{"/rerank", teiBody},
		{"/v2/rerank", `{"model": "m", "query": "a", "documents": ["b"]}`},
		{"/rerank", `{"query": "a", "documents": ["b"], "property": ""}`},
		{"/v2/models/tiny/infer", `{"inputs": [{"name": "query", "shape": [1], "datatype": "BYTES", "data": ["a"]}, {"name": "documents", "shape": [1], "datatype": "BYTES", "data": ["b"]}]}`},
	} {
		w := send(h, "POST", c.path, c.body)
		if w.Code != 429 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "3 texts of 3 requests wait, the limit of --max-queue") {
			t.Errorf("%s: %d %s %v", c.path, w.Code, w.Body, w.Header())
		}
	}
	e.let()
	wg.Wait()
	if w := send(h, "POST", "/rerank", teiBody); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if s := e.Stats(); s.Refused != 4 || s.Failed != 4 || s.Calls != 9 {
		t.Errorf("%+v", s)
	}
}

// Whoever has waited for longer than --max-wait is refused, too.
func TestMaxWait(t *testing.T) {
	h, e := holding(t, nil, engine.MaxWait(time.Millisecond))
	var wg sync.WaitGroup
	// A call in the background waits for its pass as long as it takes, on a busy machine, too.
	wg.Go(func() {
		if _, err := e.Score(engine.Background(t.Context()), nil, []engine.Pair{{}}); err != nil {
			t.Error(err)
		}
	})
	until(func() bool { return e.Stats().Passes == 1 && e.Stats().Running == 0 })
	w := send(h, "POST", "/rerank", teiBody)
	if w.Code != 429 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "the limit of --max-wait") {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	e.let()
	wg.Wait()
}

// Probes, metrics and the page are answered while the engine does nothing, its queue is full and
// so is the server: they wait for no pass.
func TestProbesNeverWait(t *testing.T) {
	h, e := holding(t, []Option{MaxRequests(4)}, engine.MaxQueue(3))
	var wg sync.WaitGroup
	e.waits(h, &wg, 1, 0)
	until(func() bool { return e.Stats().Passes == 1 && e.Stats().Running == 0 && len(h.places) == 0 })
	e.waits(h, &wg, 3, 3)
	h.places <- struct{}{}
	if w := send(h, "POST", "/rerank", teiBody); w.Code != 429 {
		t.Fatalf("it is not full: %d", w.Code)
	}
	for range 100 {
		for _, path := range []string{"/health", "/ping", "/.well-known/live", "/.well-known/ready", "/v2/health/live", "/v2/health/ready", "/v2/models/tiny/ready", "/metrics", "/openapi.yaml", "/"} {
			if w := send(h, "GET", path, ""); w.Code/100 != 2 {
				t.Fatalf("%s: %d", path, w.Code)
			}
		}
	}
	if s := e.Stats(); s.Passes != 1 || s.WaitingPairs != 3 {
		t.Errorf("the engine has worked: %+v", s)
	}
	if text := send(h, "GET", "/metrics", "").Body.String(); !strings.Contains(text, "\nte_queue_size 3\n") || !strings.Contains(text, "vllm:num_requests_waiting{model_name=\"tiny\"} 3\n") {
		t.Errorf("metrics of a full queue:\n%s", text)
	}
	<-h.places
	e.let()
	wg.Wait()
}

// Once the handler drains, every reply ends its connection, of those that began before, too:
// a client that knows nothing of readiness has no connection that is about to be closed.
func TestDrainClosesConnections(t *testing.T) {
	h, e := holding(t, nil)
	var wg sync.WaitGroup
	e.waits(h, &wg, 1, 0)
	until(func() bool { return e.Stats().Passes == 1 && e.Stats().Running == 0 })
	wg.Go(func() {
		if w := send(h, "POST", "/rerank", teiBody); w.Code != 200 || w.Header().Get("Connection") != "close" {
			t.Errorf("one that waited: %d %v", w.Code, w.Header())
		}
	})
	until(func() bool { return e.Stats().WaitingPairs == 1 })
	if w := send(h, "GET", "/health", ""); w.Header().Get("Connection") != "" {
		t.Errorf("before Drain: %v", w.Header())
	}
	h.Drain()
	e.let()
	wg.Wait()
	for _, c := range []struct {
		method, path, body string
		status             int
	}{{"POST", "/rerank", teiBody, 200}, {"GET", "/health", "", 503}, {"GET", "/nowhere", "", http.StatusNotFound}, {"PUT", "/rerank", "", 405}, {"POST", "/rerank", "x", 400}} {
		if w := send(h, c.method, c.path, c.body); w.Code != c.status || w.Header().Get("Connection") != "close" {
			t.Errorf("%s %s: %d %v", c.method, c.path, w.Code, w.Header())
		}
	}
}
