package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

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

// started is a server, in this process or in one of its own.
type started struct {
	url  string
	log  *lockedBuffer
	over chan struct{} // closed when it has ended
}

// serving is a server in this process.
type serving struct {
	started
	end func() int // as a signal does; it returns the exit code
}

// noModel among startServing's arguments names no model in place of a tiny one.
const noModel = "no model"

// startServing starts serve with a tiny model on a free port, and returns when it listens.
func startServing(t *testing.T, env map[string]string, args ...string) *serving {
	t.Helper()
	if i := slices.Index(args, noModel); i >= 0 {
		args = slices.Delete(args, i, i+1)
	} else if !slices.Contains(args, "--model") {
		args = append(args, "--model", "tiny="+tiny(t))
	}
	args = append([]string{"serve", "--precision", "f32", "--drain-delay", "0"}, args...)
	if !slices.Contains(args, "--unix") {
		args = append(args, "--port", "0")
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	s := &serving{started: started{log: new(lockedBuffer), over: make(chan struct{})}}
	code := make(chan int, 1)
	go func() {
		defer close(s.over)
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

// until waits for something that the server or its clients do, and fails if the server has ended
// without it.
func (s *started) until(t *testing.T, happened func() bool) {
	t.Helper()
	for !happened() {
		select {
		case <-s.over:
			if !happened() {
				t.Fatalf("it has ended: %s", s.log)
			}
		case <-time.After(time.Millisecond):
		}
	}
}

// logs waits until the server has logged a text.
func (s *started) logs(t *testing.T, text string) {
	t.Helper()
	s.until(t, func() bool { return strings.Contains(s.log.String(), text) })
}

// ready waits until the server is ready, and fails if it ends before that.
func (s *started) ready(t *testing.T, c *http.Client, url string) {
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

// Weights that nobody has trained do not go by the name of those that somebody has.
func TestServeSyntheticByItsName(t *testing.T) {
	s := startServing(t, nil, noModel)
	defer s.end()
	s.ready(t, http.DefaultClient, s.url)
	r, err := http.Get(s.url + "/info")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var info struct {
		ID string `json:"model_id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&info); err != nil || info.ID != syntheticName {
		t.Errorf("model %q, %v, want %s", info.ID, err, syntheticName)
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
