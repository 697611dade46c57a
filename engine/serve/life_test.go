package serve

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// Probes say from the first moment that the server is alive, and after Use that it is ready;
// all else waits for Use, and is still answered after Drain.
func TestLife(t *testing.T) {
	h := handler(t)
	live := []string{"/.well-known/live", "/v2/health/live"}
	ready := []string{"/health", "/ping", "/.well-known/ready", "/v2/health/ready", "/v2/models/tiny/ready", "/v2/models/tiny/versions/1/ready"}
	const body = `{"query": "a", "texts": ["b"]}`
	check := func(when string, readiness, answers int) {
		t.Helper()
		for _, path := range live {
			if w := send(h, "GET", path, ""); w.Code/100 != 2 {
				t.Errorf("%s: %s: %d", when, path, w.Code)
			}
		}
		for _, path := range ready {
			w := send(h, "GET", path, "")
			if w.Code/100 != readiness {
				t.Errorf("%s: %s: %d", when, path, w.Code)
			}
			if retry := w.Header().Get("Retry-After"); (retry != "") != (readiness == 5) {
				t.Errorf("%s: %s: Retry-After %q", when, path, retry)
			}
		}
		for _, path := range []string{"/rerank", "/", "/predict"} {
			if path == "/predict" && answers == http.StatusOK {
				continue
			}
			w := send(h, "POST", path, body)
			if w.Code != answers || (w.Header().Get("Retry-After") != "") != (answers == 503) {
				t.Errorf("%s: %s: %d %s %v", when, path, w.Code, w.Body, w.Header())
			}
		}
		for _, path := range []string{"/info", "/meta", "/v2/models/tiny", "/models", "/v1/models", "/v1/models/tiny"} {
			if w := send(h, "GET", path, ""); w.Code != answers {
				t.Errorf("%s: %s: %d %s", when, path, w.Code, w.Body)
			}
		}
	}
	if w := send(handler(t, Dialect("infinity")), "GET", "/health", ""); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("Infinity's health before Use: %d %s", w.Code, w.Body)
	}
	check("before Use", 5, 503)
	if err := h.Use(Model{"tiny", enginetest.Open(t)}); err != nil {
		t.Fatal(err)
	}
	check("after Use", 2, 200)
	h.Drain()
	check("after Drain", 5, 200)
}

func TestUse(t *testing.T) {
	eng := enginetest.Open(t)
	for want, models := range map[string][]Model{
		"serve: no models":                             nil,
		"serve: model 0 has no engine":                 {{"a", nil}},
		"serve: model 1 has no name":                   {{"a", eng}, {"", eng}},
		`serve: model 0: the name "\xff" is not UTF-8`: {{"\xff", eng}},
		`serve: two models are called "same"`:          {{"same", eng}, {"a", eng}, {"same", eng}},
	} {
		h := handler(t)
		if err := h.Use(models...); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		if w := send(h, "GET", "/health", ""); w.Code != 503 {
			t.Errorf("%s: ready", want)
		}
	}
}

func TestOptions(t *testing.T) {
	for want, opt := range map[string]Option{
		`serve: no dialect "greek", want one of `: Dialect("greek"),
		"serve: bodies of 0 bytes":                MaxBody(0),
		"serve: -1 texts a request":               MaxItems(-1),
		"serve: 0 requests at a time":             MaxRequests(0),
	} {
		if h, err := New(nil, opt); h != nil || err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A panic is an internal error of one request, and the log has the stack.
func TestPanic(t *testing.T) {
	var log bytes.Buffer
	h, _ := open(t, scoring, Logger(slog.New(slog.NewTextHandler(&log, nil))))
	h.models.Store(&[]*served{nil}) // the worst that there is
	w := send(h, "POST", "/rerank", `{"query": "secret words", "texts": ["b"]}`)
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"error_type":"Backend"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "panic") || strings.Contains(log.String(), "secret") {
		t.Errorf("log:\n%s", &log)
	}
}

// broken is a writer that a middleware has made panic, as net/http wants it of who gives up.
type broken struct{ http.ResponseWriter }

func (broken) WriteHeader(int) { panic(http.ErrAbortHandler) }

// Whatever a request ends in, its place is free.
func TestPanickingWriter(t *testing.T) {
	h, _ := open(t, scoring, MaxRequests(1))
	for range 2 {
		func() {
			defer func() {
				if reason := recover(); reason != http.ErrAbortHandler {
					t.Errorf("recovered: %v", reason)
				}
			}()
			r := goldenRequest{Method: "POST", Path: "/rerank", Body: []byte(teiBody)}
			h.ServeHTTP(broken{httptest.NewRecorder()}, r.http())
		}()
		if len(h.places) != 0 || h.held.Load() != 0 {
			t.Errorf("%d places, %d bytes are held", len(h.places), h.held.Load())
		}
	}
}

// A client that has gone away is no failure of the server, and its place is free.
func TestGone(t *testing.T) {
	h, _ := open(t, scoring, MaxRequests(1))
	for range 3 {
		r := goldenRequest{Method: "POST", Path: "/rerank", Body: []byte(`{"query": "a", "texts": ["b"]}`)}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w := serveOne(h, r.http().WithContext(ctx))
		if w.Code != statusCancelled {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if w := send(h, "POST", "/rerank", `{"query": "a", "texts": ["b"]}`); w.Code != 200 {
		t.Errorf("after clients that went: %d %s", w.Code, w.Body)
	}
}

// A program around the handler may give requests a time. The client is still there when it is over.
func TestOutOfTime(t *testing.T) {
	h, _ := open(t, scoring)
	for dialect, c := range map[string]struct{ path, body string }{
		"tei":    {"/rerank", teiBody},
		"cohere": {"/v2/rerank", `{"query": "a", "documents": ["b"]}`},
		"turn":   {"/tokenize", `{"inputs": "` + strings.Repeat("a ", tokensFew) + `"}`},
	} {
		if dialect == "turn" {
			for range cap(h.turns) {
				h.turns <- struct{}{}
			}
		}
		ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
		w := serveOne(h, httptest.NewRequest("POST", c.path, strings.NewReader(c.body)).WithContext(ctx))
		cancel()
		if w.Code != 504 || !strings.Contains(w.Body.String(), "the request was not answered within the time that the program around the server gives it") {
			t.Errorf("%s: %d %s", dialect, w.Code, w.Body)
		}
	}
}

// More requests at a time than allowed are refused as overload; probes are not.
func TestMaxRequests(t *testing.T) {
	h, _ := open(t, scoring, MaxRequests(2))
	h.places <- struct{}{}
	h.places <- struct{}{}
	w := send(h, "POST", "/rerank", `{"query": "a", "texts": ["b"]}`)
	if w.Code != 429 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "2 requests are being answered, the limit of --max-requests") {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	for _, path := range []string{"/health", "/ping", "/.well-known/ready", "/v2/health/ready", "/v2/health/live"} {
		if w := send(h, "GET", path, ""); w.Code/100 != 2 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/info", "/meta", "/models", "/v1/models", "/v1/models/tiny", "/v2", "/v2/models/tiny"} {
		if w := send(h, "GET", path, ""); w.Code != 200 { // clients begin with these, and the engine is not asked
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	<-h.places
	if w := send(h, "POST", "/rerank", `{"query": "a", "texts": ["b"]}`); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if len(h.places) != 1 {
		t.Errorf("%d places are taken", len(h.places))
	}
}
