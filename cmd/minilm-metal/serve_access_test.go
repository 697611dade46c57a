package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Keys come from the file and the variable, and are not told.
func TestServeKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte("\ufeffof-the-file\r\n\nsecond-of-it\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServing(t, map[string]string{serveKey: "of-the-variable"}, "--api-key-file", path, "--log-level", "debug")
	s.ready(t, http.DefaultClient, s.url) // without a key
	for key, want := range map[string]int{"of-the-file": 200, "second-of-it": 200, "of-the-variable": 200, "another": 401, "": 401} {
		r, err := http.NewRequest(http.MethodGet, s.url+"/info", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		if reply.StatusCode != want {
			t.Errorf("%q: %s", key, reply.Status)
		}
	}
	s.end()
	if strings.Contains(s.log.String(), "of-") || !strings.Contains(s.log.String(), "status=401") {
		t.Errorf("the log:\n%s", s.log)
	}
}

// Pages of other origins may ask only where they are named.
func TestServeOrigins(t *testing.T) {
	ask := func(url, method, origin string) http.Header {
		t.Helper()
		r, err := http.NewRequest(method, url+"/rerank", strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		return reply.Header
	}
	plain := startServing(t, nil)
	some := startServing(t, map[string]string{serveKey: "key"}, "--cors-origin", "https://example.org", "--cors-origin", "https://example.com")
	for _, c := range []struct{ url, origin, want string }{
		{plain.url, "https://example.org", ""},
		{some.url, "https://example.org", "https://example.org"},
		{some.url, "https://example.com", "https://example.com"},
		{some.url, "https://example.net", ""},
	} {
		for _, method := range []string{http.MethodOptions, http.MethodPost, http.MethodHead} {
			h := ask(c.url, method, c.origin)
			if h.Get("Access-Control-Allow-Origin") != c.want || h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s of %s: %v, want %q", method, c.origin, h, c.want)
			}
			if allowed := h.Get("Access-Control-Allow-Headers"); method == http.MethodOptions && c.want != "" && !strings.Contains(allowed, "authorization") {
				t.Errorf("%s: headers %q", c.origin, allowed)
			}
		}
	}
}
