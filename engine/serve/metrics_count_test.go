package serve

import (
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// Every request is counted once, where it belongs.
func TestMetricsCount(t *testing.T) {
	h := handler(t, Keys("key"), MaxItems(4))
	observe, used := h.Passes("tiny"), make(chan struct{})
	eng := enginetest.Open(t, engine.Workers(1), engine.MaxLength(8), engine.Observe(func(s engine.PassStats) {
		<-used // a call may return before the observer of its passes
		observe(s)
	}))
	if _, err := eng.Score(t.Context(), nil, pairsOf("a", []string{"warms it up"})); err != nil {
		t.Fatal(err)
	}
	if err := h.Use(Model{"tiny", eng}); err != nil {
		t.Fatal(err)
	}
	close(used)
	ask := func(path, body string, status int) {
		t.Helper()
		if w := asks(h, path, body, "Authorization", "key"); w.Code != status {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	ask("/rerank", `{"query": "a", "texts": ["b", "c", "d"]}`, 200)
	ask("/rerank", `{"query": "a", "texts": ["b b b b b b b b b b"], "more": 1, "most": 2}`, 200)
	ask("/rerank", `{"query": "a", "documents": ["b"], "property": ""}`, 200)
	ask("/rerank", `{"query": "a", "property": "b"}`, 200)
	ask("/tokenize", `{"inputs": "a"}`, 200)
	ask("/rerank", `{"query": "a", "texts": ["b b b b b b b b b b"], "truncate": false}`, 422)
	ask("/rerank", `{"query": "a", "texts": ["a", "b", "c", "d", "e"]}`, 422)
	ask("/rerank", `{"query": "a", "texts": []}`, 400)
	ask("/rerank", `{"query": "a"}`, 422)
	ask("/rerank", `not JSON`, 400)
	ask("/embed", `{"inputs": "a"}`, 424)
	if w := asks(h, "/rerank", teiBody, "", ""); w.Code != 401 {
		t.Error(w.Code)
	}
	send(h, "BREW", "/coffee", "")
	if err := eng.Close(); err != nil { // waits for the observer of the last pass
		t.Fatal(err)
	}
	all := scraped(t, h)
	for _, c := range []struct {
		want   float64
		name   string
		labels []string
	}{
		// Questions that were understood, answered or not: of the lists the three answered, the one
		// that is too long, the empty one.
		{5, "te_request_count", []string{"method", "batch"}},
		{3, "te_request_success", []string{"method", "batch"}},
		{3, "te_request_count", []string{"method", "single"}}, // a property, a text to be tokenized or embedded
		{2, "te_request_success", []string{"method", "single"}},
		{8, "te_predict_count", nil}, // with the text that nothing here embeds
		{6, "te_predict_success", nil},
		{6, "te_predict_duration", nil},
		{4, "te_request_duration", nil},
		{4, "te_request_queue_duration", nil},
		{6, "te_request_input_length", nil},
		{1, "minilm_truncated_total", nil},
		{2, "minilm_unknown_fields_total", []string{"dialect", "tei"}},
		{1, "te_request_failure", []string{"err", "tokenization"}},
		{1, "te_request_failure", []string{"err", "batch_size"}},
		{3, "te_request_failure", []string{"err", "validation"}},
		{1, "te_request_failure", []string{"err", "model_type"}},
		{0, "te_request_failure", []string{"err", "overloaded"}},
		{0, "te_request_failure", []string{"err", "dropped"}},
		{0, "te_request_failure", []string{"err", "inference"}},
		{4, "vllm:request_success_total", []string{"model_name", "tiny", "finished_reason", "stop"}},
		{4, "vllm:e2e_request_latency_seconds", []string{"model_name", "tiny"}},
		{0, "vllm:num_requests_running", []string{"model_name", "tiny"}},
		{0, "vllm:num_requests_waiting", []string{"model_name", "tiny"}},
		{0, "te_queue_size", nil},
		{4, "http_server_request_duration_seconds", []string{"http_route", "/rerank", "http_response_status_code", "200", "http_request_method", "POST", "url_scheme", "http"}},
		{1, "http_server_request_duration_seconds", []string{"http_route", "/rerank", "http_response_status_code", "401"}},
		{1, "http_server_request_duration_seconds", []string{"http_route", "", "http_response_status_code", "404", "http_request_method", "_OTHER"}},
	} {
		if got := sample(t, all, c.name, c.labels...); got != c.want {
			t.Errorf("%s%v: %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	// Five pairs of 5 tokens and one that was cut to 8; and one for the text that was too long.
	if answers, passes := sample(t, all, "vllm:prompt_tokens_total"), sampleSum(all, "te_batch_next_tokens"); answers != 33 || passes != 34 {
		t.Errorf("%v tokens were read for answers, want 33, and %v in passes, want 34", answers, passes)
	}
	// How many passes that took depends on what the engine's goroutines were doing.
	pairs, passes := sampleSum(all, "te_batch_next_size"), sample(t, all, "te_batch_next_size")
	if pairs != 7 || passes < 5 || passes > 7 {
		t.Errorf("%v pairs were in %v passes, want 7, in one pass for each call or more", pairs, passes)
	}
}

func sampleSum(all map[string]*dto.MetricFamily, name string) float64 {
	return all[name].GetMetric()[0].Histogram.GetSampleSum()
}

// Several models have a label each, and vLLM's aliases always.
func TestMetricsOfModels(t *testing.T) {
	h := handler(t)
	if err := h.Use(Model{"ranks", enginetest.Open(t)}, Model{"embeds", enginetest.OpenEmbedder(t)}); err != nil {
		t.Fatal(err)
	}
	send(h, "POST", "/rerank", teiBody)
	send(h, "POST", "/embed", `{"inputs": ["a", "b"]}`)
	all := scraped(t, h)
	for _, c := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{1, "te_request_count", []string{"model", "ranks", "method", "batch"}},
		{1, "te_request_count", []string{"model", "embeds", "method", "batch"}},
		{1, "te_predict_count", []string{"model", "ranks"}},
		{2, "te_embed_count", []string{"model", "embeds"}},
		{1, "vllm:request_success_total", []string{"model_name", "embeds"}},
	} {
		if got := sample(t, all, c.name, c.labels...); got != c.want {
			t.Errorf("%s%v: %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	for _, m := range all["te_request_failure"].GetMetric() {
		if len(m.Label) != 1 {
			t.Errorf("a failure, which may be of no model, has labels %v", m.Label)
		}
	}
	one, _ := open(t, scoring)
	for _, l := range scraped(t, one)["te_queue_size"].GetMetric()[0].Label {
		t.Errorf("one model has the label %v", l)
	}
}
