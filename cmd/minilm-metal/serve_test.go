package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// lockedBuffer is written by a server and read by its test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serving is a server in this process.
type serving struct {
	url string
	log *lockedBuffer
	end func() int // as a signal does; it returns the exit code
}

// startServing starts serve with a tiny model on a free port, and returns when it listens.
func startServing(t *testing.T, env map[string]string, args ...string) *serving {
	t.Helper()
	if !slices.Contains(args, "--model") {
		args = append(args, "--model", "tiny="+tiny(t))
	}
	args = append([]string{"serve", "--precision", "f32", "--drain-delay", "0"}, args...)
	if !slices.Contains(args, "--unix") {
		args = append(args, "--port", "0")
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	s := &serving{log: new(lockedBuffer)}
	code := make(chan int, 1)
	go func() {
		home := map[string]string{"HF_HOME": t.TempDir()}
		for k, v := range env {
			home[k] = v
		}
		code <- run(ctx, args, strings.NewReader(""), w, s.log, func(name string) string { return home[name] })
		w.Close()
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("%q: code %d: %s", args, <-code, s.log)
	}
	s.url = strings.TrimSpace(line)
	s.end = sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { s.end() })
	return s
}

// ready waits until the server is ready, and fails if it ends before that.
func (s *serving) ready(t *testing.T, c *http.Client, url string) {
	t.Helper()
	for {
		r, err := c.Get(url + "/health")
		if err != nil {
			t.Fatalf("%v; %s", err, s.log)
		}
		r.Body.Close()
		switch r.StatusCode {
		case 200:
			return
		case 503: // being loaded
			if r.Header.Get("Retry-After") == "" {
				t.Fatal("503 without Retry-After")
			}
		default:
			t.Fatal(r.Status)
		}
	}
}

// ranks asks for ranks of texts, and returns the scores in the texts' order.
func ranks(t *testing.T, c *http.Client, url, model, query string, texts ...string) []float32 {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "texts": texts, "raw_scores": true, "model": model})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Post(url+"/rerank", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	var all []struct {
		Index int
		Score float32
	}
	if err != nil || r.StatusCode != 200 || json.Unmarshal(text, &all) != nil || len(all) != len(texts) {
		t.Fatalf("%s %s %v", r.Status, text, err)
	}
	scores := make([]float32, len(texts))
	for _, rank := range all {
		scores[rank.Index] = rank.Score
	}
	return scores
}

// The scores of serve are the engine's, and it ends without an error when it is told to.
func TestServe(t *testing.T) {
	s := startServing(t, nil)
	s.ready(t, http.DefaultClient, s.url)
	want, err := tinyEngine(t).Score(t.Context(), nil, []engine.Pair{{Query: "a", Passage: "b c"}, {Query: "a", Passage: "d"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := ranks(t, http.DefaultClient, s.url, "tiny", "a", "b c", "d"); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if !strings.HasPrefix(s.url, "http://127.0.0.1:") {
		t.Errorf("it listens on %s", s.url)
	}
	if code := s.end(); code != good {
		t.Errorf("code %d; %s", code, s.log)
	}
	if _, err := http.Get(s.url + "/health"); err == nil {
		t.Error("it answers after its end")
	}
	for _, line := range []string{"listening", "model name=tiny device=cpu", "ready models=1", "ending", "ended"} {
		if !strings.Contains(s.log.String(), line) {
			t.Errorf("the log has no %q:\n%s", line, s.log)
		}
	}
}

// What no server can be started with is said before anything is loaded, with the flag's name.
func TestServeRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--port", port}, failed, "--port: another program listens on 127.0.0.1:" + port + " already"},
		{[]string{"--host", "192.0.2.1", "--port", "0"}, failed, "--host, --port: listen tcp 192.0.2.1:0"},
		{[]string{"--port", "65536"}, usage, `"65536"`},
		{[]string{"--unix", filepath.Join(dir, "no", "socket")}, failed, "--unix: "},
		{[]string{"--unix", file("plain", "")}, failed, "--unix: another program listens on "},
		{[]string{"--unix", "a", "--port", "1"}, usage, "--unix: cannot be used with --host or --port"},
		{[]string{"--dialect", "greek"}, usage, `--dialect "greek": want one of cohere, `},
		{[]string{"--tls-cert", "a"}, usage, "--tls-cert and --tls-key: want both, or none"},
		{[]string{"--tls-cert", filepath.Join(dir, "none.pem"), "--tls-key", "b"}, failed, "--tls-cert, --tls-key: open "},
		{[]string{"--tls-cert", file("cert", "x"), "--tls-key", file("key", "y")}, failed, "--tls-cert, --tls-key: "},
		{[]string{"--tls-cert", "a", "--tls-key", "b", "--h2c"}, usage, "--h2c: cannot be used with --tls-cert"},
		{[]string{"--api-key-file", filepath.Join(dir, "none")}, failed, "--api-key-file: open "},
		{[]string{"--api-key-file", file("empty", "\n \n")}, failed, "has no key"},
		{[]string{"--api-key-file", file("spaced", "good-key\nsecret key\n")}, failed, "key 1 has a character that is not visible ASCII"},
		{[]string{"--model", "=dir"}, usage, `--model "=dir": want NAME=DIR`},
		{[]string{"--model", "a=x", "--model", "a=y"}, usage, `"a" is another model's name already`},
		{[]string{"--max-queue", "-1"}, usage, "--max-queue -1"},
		{[]string{"--max-body", "0"}, usage, "--max-body 0"},
		{[]string{"--max-text", "0"}, usage, "--max-text 0"},
		{[]string{"--max-items", "0"}, usage, "--max-items 0"},
		{[]string{"--max-requests", "0"}, usage, "--max-requests 0"},
		{[]string{"--max-wait", "-1s"}, usage, "--max-wait -1s"},
		{[]string{"--read-timeout", "-1s"}, usage, "--read-timeout -1s"},
		{[]string{"--drain-delay", "-1s"}, usage, "--drain-delay -1s"},
		{[]string{"--max-length", "1"}, usage, "--max-length 1"},
		{[]string{"--device", "abacus"}, usage, `--device "abacus"`},
		{[]string{"--log-format", "xml"}, usage, `--log-format "xml": want one of text, json`},
		{[]string{"--log-level", "loud"}, usage, `--log-level "loud"`},
		{[]string{"--cors-origin", "example.org"}, usage, `--cors-origin "example.org"`},
		{[]string{"--expvar"}, usage, "--expvar: needs --pprof"},
		{[]string{"--pprof", "127.0.0.1:" + port}, failed, "--pprof: listen tcp"},
		{[]string{"word"}, usage, `serve takes no arguments, and there is "word"`},
		{[]string{"--health", "a", "b"}, usage, "takes no arguments"},
		{[]string{"--health", "ftp://a"}, usage, `--health "ftp://a": want http://host:port`},
		{[]string{"--health", "http://127.0.0.1:" + port + "0"}, failed, "invalid port"},
		{[]string{"--model", "x=" + filepath.Join(dir, "nothing"), "--port", "0"}, failed, "model x: "},
	} {
		o := call(t, "", append([]string{"serve"}, c.args...)...)
		o.want(t, c.code, c.want)
		if strings.Contains(o.stderr, "secret") {
			t.Errorf("%q: a key is told: %s", c.args, o.stderr)
		}
	}
}

func TestServeSources(t *testing.T) {
	for value, want := range map[string]source{
		"a=./dir":     {"a", "./dir"},
		"a=b=c":       {"a", "b=c"},
		"./some/dir":  {"dir", "./some/dir"},
		"/some/dir/":  {"dir", "/some/dir/"},
		"owner/model": {"owner/model", "owner/model"},
		"synthetic":   {"synthetic", "synthetic"},
	} {
		f := serveFlags{models: []string{value}}
		if all, err := f.sources(); err != nil || len(all) != 1 || all[0] != want {
			t.Errorf("%s: %v, %v, want %v", value, all, err, want)
		}
	}
	if all, err := new(serveFlags).sources(); err != nil || len(all) != 1 || all[0].name != "cross-encoder/ms-marco-MiniLM-L-6-v2" {
		t.Errorf("%v, %v", all, err)
	}
}

// Models of all kinds on one port, opened for what they are and under their names.
func TestServeModels(t *testing.T) {
	embedder := filepath.Join(t.TempDir(), "vectors")
	ok(t, "", "synth", "--kind", "embedder", "--layers", "1", "--hidden", "32", "--heads", "1", "--intermediate", "32", "--out", embedder)
	s := startServing(t, nil, "--model", "ranks="+tiny(t), "--model", embedder, "--log-format", "json")
	s.ready(t, http.DefaultClient, s.url)
	ranks(t, http.DefaultClient, s.url, "ranks", "a", "b")
	r, err := http.Post(s.url+"/embed", "application/json", strings.NewReader(`{"inputs": ["a"], "model": "vectors"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var rows [][]float32
	if err := json.NewDecoder(r.Body).Decode(&rows); err != nil || r.StatusCode != 200 || len(rows) != 1 || len(rows[0]) != 32 {
		t.Errorf("%s, %v, %v", r.Status, err, rows)
	}
	s.end()
	for line := range strings.Lines(s.log.String()) { // warnings about the model's files, too
		if !json.Valid([]byte(line)) {
			t.Errorf("the log has %q", line)
		}
	}
}

// Keys come from the file and the variable, and are not told.
func TestServeKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte("of-the-file\r\n\nsecond-of-it\n"), 0o600); err != nil {
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
		for _, method := range []string{http.MethodOptions, http.MethodPost} {
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
	for { // the models are told a moment after the server is ready
		if err := json.NewDecoder(r.Body).Decode(&vars); err != nil || len(vars.Memstats) == 0 {
			t.Fatalf("%v: %+v", err, vars)
		}
		if len(vars.Engines) > 0 {
			break
		}
		if r, err = http.Get(strings.Replace(at, "/debug/pprof/", "/debug/vars", 1)); err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
	}
	if vars.Engines["tiny"].Calls == 0 {
		t.Errorf("%+v", vars.Engines)
	}
	if r, err := http.Get(at + "goroutine?debug=1"); err != nil || r.StatusCode != 200 {
		t.Error(err, r)
	}
	for _, path := range []string{"/debug/pprof/", "/debug/vars"} {
		if r, err := http.Get(s.url + path); err != nil || r.StatusCode != 404 {
			t.Errorf("%s: %v, %v", path, r, err)
		}
	}
}

func TestServeUnix(t *testing.T) {
	dir, err := os.MkdirTemp("", "mm") // a socket's path may have a hundred bytes only
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Skip(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close() // as a program that was killed leaves it
	s := startServing(t, nil, "--unix", path)
	if s.url != "unix:"+path {
		t.Errorf("it listens on %s", s.url)
	}
	c := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	s.ready(t, c, "http://unix")
	ranks(t, c, "http://unix", "", "a", "b")
	call(t, "", "serve", "--unix", path).want(t, failed, fmt.Sprintf("--unix: another program listens on %s already", path))
	call(t, "", "serve", "--health", "--unix", path).want(t, good)
	s.end()
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is left")
	}
}
