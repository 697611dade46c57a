package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// The binary is its own health check.
func TestServeHealth(t *testing.T) {
	s := startServing(t, nil)
	s.ready(t, http.DefaultClient, s.url)
	port := s.url[strings.LastIndexByte(s.url, ':')+1:]
	for _, args := range [][]string{{s.url}, {s.url + "/"}, {s.url + "/v2/health/live"}, {"--port", port}, {"--port", port, "--host", "0.0.0.0"}} {
		call(t, "", append([]string{"serve", "--health"}, args...)...).want(t, good)
	}
	call(t, "", "serve", "--health", s.url+"/nowhere").want(t, failed, "not ready: 404")
	s.end()
	call(t, "", "serve", "--health", s.url).want(t, failed, "refused")
}

// Profiles and statistics have a port of their own, and the server's has neither.
func TestServeDebug(t *testing.T) {
	s := startServing(t, nil, "--pprof", "127.0.0.1:0", "--expvar")
	s.ready(t, http.DefaultClient, s.url)
	ranks(t, http.DefaultClient, s.url, "", "a", "b")
	_, at, found := strings.Cut(s.log.String(), "msg=profiles address=")
	at, _, _ = strings.Cut(at, "\n")
	if !found {
		t.Fatal(s.log)
	}
	r, err := http.Get(strings.Replace(at, "/debug/pprof/", "/debug/vars", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var vars struct {
		Cmdline  []string
		Memstats map[string]any
		Engines  map[string]engine.Stats
	}
	if err := json.NewDecoder(r.Body).Decode(&vars); err != nil || len(vars.Memstats) == 0 {
		t.Fatalf("%v: %+v", err, vars)
	}
	if vars.Engines["tiny"].Calls == 0 {
		t.Errorf("%+v", vars.Engines)
	}
	for url, want := range map[string]int{at + "goroutine?debug=1": 200, s.url + "/debug/pprof/": 404, s.url + "/debug/vars": 404} {
		r, err := http.Get(url)
		if err != nil || r.StatusCode != want {
			t.Fatalf("%s: %v, %v, want %d", url, r, err, want)
		}
		r.Body.Close()
	}
}
