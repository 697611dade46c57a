package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// serve returns a client of a server that answers with h.
func serve(t testing.TB, o Options, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	o.URL = s.URL
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// gone waits until the client has gone, which a handler hears of once it has read the body.
func gone(r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// What a running text-embeddings-inference answered is understood: its scores, in the order
// of the texts, and its refusals by their status.
func TestRecordedTEI(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set")
	}
	text, err := os.ReadFile(filepath.Join(shared, "data", "tei", "rerank.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Responses []struct {
			Name    string
			Request struct{ Method, Path string }
			Status  int
			JSON    json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	scored, refused := 0, 0
	for _, r := range recorded.Responses {
		if r.Request.Path != "/rerank" || r.Request.Method != "POST" {
			continue
		}
		c := serve(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(r.Status)
			w.Write(r.JSON)
		})
		texts := []string{"c", "d e"}
		got, err := c.tei(t.Context(), "/rerank", "a b", texts)
		switch of := (*Error)(nil); {
		case r.Name == "raw":
			if !slices.Equal(got, []float64{0.024640782, 0.030250892}) || err != nil {
				t.Errorf("raw: %v, %v", got, err)
			}
			scored++
		case r.Status == http.StatusOK:
			if err != nil && !(errors.As(err, &of) && of.Kind == KindCount) { // other requests had other texts
				t.Errorf("%s: %v", r.Name, err)
			}
		default:
			if !errors.As(err, &of) || of.Status != r.Status {
				t.Errorf("%s: %v, want status %d", r.Name, err, r.Status)
			}
			refused++
		}
	}
	if scored == 0 || refused == 0 {
		t.Errorf("%d recorded scores and %d refusals, want some of each", scored, refused)
	}
}

// Each way to bring no scores has its kind.
func TestKinds(t *testing.T) {
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	for _, test := range []struct {
		kind string
		h    http.HandlerFunc
	}{
		{"status 307", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}},
		{"status 429", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }},
		{KindTimeout, func(_ http.ResponseWriter, r *http.Request) { gone(r) }},
		{KindTimeout, func(w http.ResponseWriter, r *http.Request) { // in the middle of the answer
			fmt.Fprint(w, `[{"index":0,`)
			w.(http.Flusher).Flush()
			gone(r)
		}},
		{KindConnection, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		{KindBody, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `[`)
		}},
		{KindBody, answer("")},
		{KindBody, answer(`{"error":"x"}`)},
		{KindBody, answer(`[{"index":0},{"index":1,"score":1}]`)},
		{KindBody, answer(`[{"score":0},{"index":1,"score":1}]`)},
		{KindBody, answer(`[{"index":0,"score":NaN},{"index":1,"score":1}]`)},
		{KindCount, answer(`[]`)},
		{KindCount, answer(`[{"index":0,"score":1},{"index":0,"score":1}]`)},
		{KindCount, answer(`[{"index":0,"score":1},{"index":2,"score":1}]`)},
	} {
		o := Options{}
		if test.kind == KindTimeout {
			o.Timeout = 50 * time.Millisecond
		}
		c := serve(t, o, test.h)
		_, err := c.tei(t.Context(), "/rerank", "q", []string{"a", "b"})
		if of := (*Error)(nil); !errors.As(err, &of) || of.Kind != test.kind {
			t.Errorf("%v, want kind %q", err, test.kind)
		}
	}
}

// A call that the bench gives up is no miss of the server's.
func TestCancelled(t *testing.T) {
	why := errors.New("given up")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := serve(t, Options{}, func(_ http.ResponseWriter, r *http.Request) { cancel(why); gone(r) })
	_, err := c.tei(ctx, "/rerank", "q", []string{"a"})
	if of := (*Error)(nil); errors.As(err, &of) || !errors.Is(err, why) {
		t.Errorf("error %v, want %v alone", err, why)
	}
}

// The dialect is found at any of its paths; the server's word for its model is used; the key
// is sent; and a connection is used again, unless the machine keeps net/http from it for 50 ms.
func TestProbe(t *testing.T) {
	const two = `[{"index":0,"relevance_score":0.5}]`
	for _, path := range []string{"/v2/rerank", "/v1/rerank", "/rerank"} {
		c := serve(t, Options{Key: "secret", Connections: 1}, func(w http.ResponseWriter, r *http.Request) {
			var body cohereRequest
			switch {
			case r.Header.Get("Authorization") != "Bearer secret":
				w.WriteHeader(http.StatusUnauthorized)
			case r.URL.Path == "/v1/models":
				fmt.Fprint(w, `{"data":[{"id":"the-model"}]}`)
			case r.URL.Path == path && json.NewDecoder(r.Body).Decode(&body) == nil && body.Documents != nil && body.Model == "the-model":
				fmt.Fprint(w, `{"results":`+two+`}`)
			default:
				w.WriteHeader(http.StatusUnprocessableEntity)
			}
		})
		if err := c.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a := c.About(); a.Dialect != Cohere || a.Path != path || !a.Probed || a.Model != "the-model" {
			t.Errorf("%s: found %+v", path, a)
		}
		for range 5 {
			if got, err := c.Scores(t.Context(), "q", []string{"a"}); err != nil || got[0] != 0.5 {
				t.Errorf("%s: %v, %v", path, got, err)
			}
		}
		if sum := c.Traffic(); sum.Connections >= sum.Requests || sum.Requests < 6 || sum.Received < int64(5*len(two)) {
			t.Errorf("%s: %+v", path, sum)
		}
	}
	c := serve(t, Options{}, http.NotFound)
	if err := c.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "/v2/rerank: remote: status 404") {
		t.Errorf("a server of none: %v", err)
	}
}

// What would put a secret into a report is refused without being said again.
func TestURLs(t *testing.T) {
	for _, bad := range []string{"", "localhost:80", "ftp://a", "http://", "http://u:secret@a", "http://a?key=secret", "http://a#secret", "http://secret\x7f"} {
		if _, err := New(Options{URL: bad}); !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := New(Options{URL: "http://a", Dialect: "klingon"}); err == nil {
		t.Error("an unknown dialect was taken")
	}
}

// A server that repeats the key in its refusal does not bring it onto anybody's screen.
func TestKeyRepeated(t *testing.T) {
	c := serve(t, Options{Key: "hush", Dialect: TEI}, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "bad key: "+r.Header.Get("Authorization"), http.StatusUnauthorized)
	})
	err := c.Probe(t.Context())
	if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "bad key: Bearer (the key)") {
		t.Errorf("error %v", err)
	}
}
