package serve

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// asks sends a small question with a header.
func asks(h http.Handler, path, body, header, value string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", jsonType)
	if header != "" {
		r.Header.Set(header, value)
	}
	return serveOne(h, r)
}

const teiBody = `{"query": "a", "texts": ["b"]}`

func TestKeys(t *testing.T) {
	h, _ := open(t, scoring, Keys("first-key", "second-key"))
	for _, c := range []struct {
		header, value string
		status        int
	}{
		{"Authorization", "Bearer first-key", 200},
		{"Authorization", "Bearer second-key", 200},
		{"Authorization", "bearer first-key", 200}, // Milvus
		{"Authorization", "BEARER first-key", 200},
		{"Authorization", "Bearer   first-key ", 200},
		{"Authorization", "first-key", 200}, // llama-index
		{"Api-Key", "first-key", 200},       // Azure's clients of OpenAI
		{"Authorization", "Bearer third-key", 401},
		{"Authorization", "Bearer first-ke", 401},
		{"Authorization", "Bearer first-key1", 401},
		{"Authorization", "Bearer FIRST-KEY", 401},
		{"Authorization", "Bearer first-keysecond-key", 401},
		{"Authorization", "Bearer ", 401},
		{"Authorization", "Bearer", 401},
		{"Authorization", "Basic first-key", 401},
		{"Authorization", "", 401},
		{"X-Other", "first-key", 401},
		{"", "", 401},
	} {
		w := asks(h, "/rerank", teiBody, c.header, c.value)
		if w.Code != c.status || (w.Header().Get("Www-Authenticate") == "Bearer") != (c.status == 401) {
			t.Errorf("%s: %s: %d, want %d; %v", c.header, c.value, w.Code, c.status, w.Header())
		}
	}
}

// A wrong key and none are told apart, in the words of the path's dialect: a client shows what
// it finds where it looks.
func TestKeysWorded(t *testing.T) {
	h, _ := open(t, scoring, Keys("right-key"))
	for _, c := range []struct{ path, want string }{
		{"/rerank", ""}, // text-embeddings-inference has no body here
		{"/v1/rerank", `"message"`},
		{"/v2/rerank", `"message"`},
		{"/v2/models/tiny/infer", `{"error":"`},
		{"/v1/embeddings", `"message"`},
	} {
		for value, why := range map[string]string{"": "no API key", "Bearer wrong": "the API key is not one of this server's"} {
			w := asks(h, c.path, "{}", "Authorization", value)
			body := w.Body.String()
			if w.Code != 401 || !strings.Contains(body, c.want) || c.want != "" && !strings.Contains(body, why) || strings.Contains(body, "right-key") {
				t.Errorf("%s, %q: %d %s, want %s", c.path, value, w.Code, body, c.want)
			}
		}
	}
}

// Probes, the page, the description and metrics need no key; what tells of a model does. Nor is
// anything read of a body before the key was right.
func TestKeysArePublicFor(t *testing.T) {
	for _, keyed := range []bool{false, true} {
		opts := []Option{Keys("right-key")}
		if keyed {
			opts = append(opts, KeyedMetrics())
		}
		h, _ := open(t, scoring, opts...)
		for _, path := range []string{"/", "/health", "/ping", "/.well-known/live", "/.well-known/ready", "/v2/health/live", "/v2/health/ready", "/v2/models/tiny/ready", "/openapi.yaml", "/openapi.json", "/docs"} {
			if w := send(h, "GET", path, ""); w.Code >= 400 {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
		for _, path := range []string{"/info", "/meta", "/v2", "/v2/models/tiny", "/v1/models", "/models"} {
			if w := send(h, "GET", path, ""); w.Code != 401 {
				t.Errorf("%s: %d, want 401", path, w.Code)
			}
		}
		if w := send(h, "GET", "/v2/models/huge/ready", ""); w.Code != 404 || strings.Contains(w.Body.String(), "tiny") {
			t.Errorf("which models there are is told: %d %s", w.Code, w.Body)
		}
		if w := send(h, "GET", "/metrics", ""); (w.Code == 401) != keyed {
			t.Errorf("/metrics, keyed %v: %d", keyed, w.Code)
		}
		if w := send(h, "POST", "/rerank", "not JSON"); w.Code != 401 {
			t.Errorf("a body before the key: %d", w.Code)
		}
	}
	// Without keys everything is public, and metrics are too.
	h, _ := open(t, scoring, KeyedMetrics())
	if w := send(h, "GET", "/metrics", ""); w.Code != 200 {
		t.Errorf("/metrics: %d", w.Code)
	}
}

func TestKeysRefused(t *testing.T) {
	for want, keys := range map[string][]string{
		"serve: key 1 is empty":                                  {"a", ""},
		"serve: key 0 has a character that is not visible ASCII": {"secret key"},
		"serve: key 2 has a character that is not visible ASCII": {"a", "b", "secret\n"},
		"serve: key 1 has a character that is not visible ASCII": {"a", "geheim-ü"},
	} {
		if h, err := New(Keys(keys...)); h != nil || err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Keys of all lengths are compared as hashes, with all keys: no length and no order shows.
func TestKeysCompared(t *testing.T) {
	k := hashed([]string{"a", strings.Repeat("b", 1000), "c"})
	for key, want := range map[string]bool{"a": true, strings.Repeat("b", 1000): true, "c": true, "": false, "b": false, "abc": false} {
		if k.has(key) != want {
			t.Errorf("%.10q: %v", key, !want)
		}
	}
	if keys(nil).has("") {
		t.Error("no keys have the empty one")
	}
}
