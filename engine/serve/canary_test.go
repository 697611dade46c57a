package serve

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// What a client sends as a text, and what it shows as a key, is in no log, metric or error,
// whatever becomes of the request.
func TestCanary(t *testing.T) {
	const canary = "canary-7f3a"
	var log bytes.Buffer
	logger := Logger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	right, _ := open(t, scoring, logger, Keys(canary+"-right"), MaxItems(3), MaxBody(600), MaxText(300))
	strict, _ := open(t, scoring, logger, Strict())
	embeds, _ := open(t, embedding, logger)
	closed, e := open(t, scoring, logger)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	full, held := holding(t, []Option{logger, MaxRequests(1)}, engine.MaxQueue(1))
	held.let()
	full.places <- struct{}{}
	text := func(s string) string { return strings.ReplaceAll(s, "TEXT", canary) }
	seen := map[int]int{}
	for _, c := range []struct {
		h          *Handler
		path, body string
		status     int
	}{
		{right, "/rerank", `{"query": "TEXT", "texts": ["TEXT"]}`, 200},
		{right, "/rerank", `{"query": "TEXT", "texts": ["TEXT"]`, 400},
		{right, "/rerank", `{"query": "TEXT", "texts": ["TEXT", "\ud800"]}`, 400},
		{right, "/rerank", `{"query": TEXT, "texts": ["TEXT"]}`, 400},
		{right, "/rerank", "{\"query\": \"TEXT\xff\", \"texts\": [\"TEXT\"]}", 400},
		{right, "/rerank", `["TEXT"]`, 422},
		{right, "/rerank", `{"query": ["TEXT"], "texts": ["TEXT"]}`, 422},
		{right, "/rerank", `{"query": "TEXT", "texts": "TEXT"}`, 422},
		{right, "/rerank", `{"query": "TEXT"}`, 422},
		{right, "/rerank", `{"query": "TEXT", "texts": ["TEXT"], "truncation_direction": "TEXT"}`, 422},
		{right, "/rerank", `{"query": "TEXT", "texts": ["TEXT", "TEXT", "TEXT", "TEXT"]}`, 422},
		{right, "/rerank", `{"query": "TEXT", "texts": ["` + strings.Repeat("TEXT", 60) + `"]}`, 413},
		{right, "/rerank", `{"query": "TEXT", "texts": ["` + strings.Repeat("TEXT ", 26) + `"]}`, 413},
		{right, "/v2/rerank", `{"model": "m", "query": "TEXT", "documents": [{"text": ["TEXT"]}]}`, 422},
		{right, "/v1/embeddings", `{"model": "m", "input": "TEXT"}`, 0},
		{right, "/embed", `{"inputs": "TEXT"}`, 424},
		{right, "/v2/models/tiny/infer", `{"inputs": [{"name": "query", "shape": [9], "datatype": "BYTES", "data": ["TEXT"]}]}`, 400},
		{strict, "/rerank", `{"query": "TEXT", "texts": ["TEXT"], "other": "TEXT"}`, 422},
		{strict, "/rerank", `{"query": "TEXT", "texts": ["` + strings.Repeat("TEXT ", 600) + `"], "truncate": false}`, 422},
		{embeds, "/embed", `{"inputs": ["TEXT"], "truncate": false}`, 200},
		{closed, "/rerank", `{"query": "TEXT", "texts": ["TEXT"]}`, 503},
		{full, "/rerank", `{"query": "TEXT", "texts": ["TEXT"]}`, 429},
	} {
		for _, key := range []string{canary + "-right", "Bearer " + canary + "-wrong"} {
			r := httptest.NewRequest("POST", c.path, strings.NewReader(text(c.body)))
			r.Header.Set("Content-Type", jsonType)
			r.Header.Set("Authorization", key)
			r.Header.Set("X-Request-Id", canary)
			r.URL.RawQuery = "text=" + canary
			w := serveOne(c.h, r)
			seen[w.Code]++
			if strings.HasSuffix(key, "right") && w.Code != c.status && c.status != 0 {
				t.Errorf("%s %s: %d %s, want %d", c.path, c.body, w.Code, w.Body, c.status)
			}
			if w.Code != 200 && strings.Contains(w.Body.String(), canary) {
				t.Errorf("%s %s: the error has it: %s", c.path, c.body, w.Body)
			}
		}
	}
	for _, h := range []*Handler{right, strict, embeds, closed, full} {
		if w := send(h, "GET", metricsPath, ""); w.Code != 200 || strings.Contains(w.Body.String(), canary) {
			t.Errorf("metrics: %d", w.Code)
		}
	}
	if strings.Contains(log.String(), canary) || strings.Count(log.String(), "\n") < 40 {
		t.Errorf("the log:\n%s", &log)
	}
	if seen[401] == 0 || seen[200] == 0 {
		t.Errorf("%v", seen)
	}
}

// The page has a key in its memory: no other page may have it in a frame.
func TestPageIsNotFramed(t *testing.T) {
	h, _ := open(t, scoring)
	w := send(h, "GET", "/", "")
	if policy := w.Header().Get("Content-Security-Policy"); w.Code != 200 || !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("%d %q", w.Code, policy)
	}
}
