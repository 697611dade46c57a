package serve

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// scraped are the metrics of a handler, as Prometheus reads them.
func scraped(t *testing.T, h *Handler) map[string]*dto.MetricFamily {
	t.Helper()
	w := send(h, "GET", metricsPath, "")
	p := expfmt.NewTextParser(model.LegacyValidation)
	all, err := p.TextToMetricFamilies(w.Body)
	if w.Code != 200 || err != nil || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%d %v %v", w.Code, err, w.Header())
	}
	return all
}

// value is the one sample of a metric that has these labels among its own: a counter's or gauge's
// value, a histogram's count.
func sample(t *testing.T, all map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	found := -1.
	for _, m := range all[name].GetMetric() {
		of := map[string]string{}
		for _, l := range m.Label {
			of[l.GetName()] = l.GetValue()
		}
		fits := true
		for i := 0; i < len(labels); i += 2 {
			fits = fits && of[labels[i]] == labels[i+1]
		}
		switch {
		case !fits:
		case found >= 0:
			t.Errorf("%s%v: several", name, labels)
		case m.Histogram != nil:
			found = float64(m.Histogram.GetSampleCount())
		case m.Counter != nil:
			found = m.Counter.GetValue()
		default:
			found = m.Gauge.GetValue()
		}
	}
	if found < 0 {
		t.Errorf("%s%v: none", name, labels)
	}
	return found
}

// teiMetrics are the names and types of text-embeddings-inference's metrics; with te_embed in
// the place of te_predict where it makes embeddings.
var teiMetrics = map[string]dto.MetricType{
	"te_batch_next_size": dto.MetricType_HISTOGRAM, "te_batch_next_tokens": dto.MetricType_HISTOGRAM,
	"te_predict_count": dto.MetricType_COUNTER, "te_predict_success": dto.MetricType_COUNTER,
	"te_predict_duration": dto.MetricType_HISTOGRAM, "te_predict_inference_duration": dto.MetricType_HISTOGRAM,
	"te_predict_queue_duration": dto.MetricType_HISTOGRAM, "te_predict_tokenization_duration": dto.MetricType_HISTOGRAM,
	"te_queue_size":    dto.MetricType_GAUGE,
	"te_request_count": dto.MetricType_COUNTER, "te_request_success": dto.MetricType_COUNTER, "te_request_failure": dto.MetricType_COUNTER,
	"te_request_duration": dto.MetricType_HISTOGRAM, "te_request_inference_duration": dto.MetricType_HISTOGRAM,
	"te_request_queue_duration": dto.MetricType_HISTOGRAM, "te_request_tokenization_duration": dto.MetricType_HISTOGRAM,
	"te_request_input_length": dto.MetricType_HISTOGRAM,
}

func TestMetricNames(t *testing.T) {
	h := handler(t)
	if all := scraped(t, h); all["te_request_failure"] == nil || all["go_goroutines"] == nil || all["te_request_count"] != nil {
		t.Errorf("before Use: %v", slices.Sorted(maps.Keys(all)))
	}
	for does, kind := range map[task]string{scoring: "te_predict", classifying: "te_predict", embedding: "te_embed"} {
		h, _ := open(t, does)
		all := scraped(t, h)
		for name, is := range teiMetrics {
			name = strings.Replace(name, "te_predict", kind, 1)
			if f := all[name]; f == nil || f.GetType() != is || len(f.GetHelp()) < 10 {
				t.Errorf("%s: %v", name, f)
			}
		}
		for name := range all {
			if strings.HasPrefix(name, "te_") && teiMetrics[strings.Replace(name, "te_embed", "te_predict", 1)] == 0 && name != "te_queue_size" && all[name].GetType() != dto.MetricType_COUNTER {
				t.Errorf("%s is none of text-embeddings-inference's", name)
			}
		}
	}
}

// The names and types that a running text-embeddings-inference had, as they were recorded.
func TestMetricNamesRecorded(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set: recorded metrics of text-embeddings-inference are not read")
	}
	for file, does := range map[string]task{"rerank": scoring, "embed": embedding, "predict": classifying} {
		text, err := os.ReadFile(filepath.Join(shared, "data", "tei", file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var recorded struct {
			Types []string `json:"metric_types"`
		}
		if err := json.Unmarshal(text, &recorded); err != nil || len(recorded.Types) < 15 {
			t.Fatalf("%s: %v, %d types", file, err, len(recorded.Types))
		}
		h, _ := open(t, does)
		all := scraped(t, h)
		for _, want := range recorded.Types {
			name, is, _ := strings.Cut(want, " ")
			if got := strings.ToLower(all[name].GetType().String()); all[name] == nil || got != is {
				t.Errorf("%s: %s is %s, want %s", file, name, got, is)
			}
		}
	}
}

// Every request is counted once, where it belongs.
func TestMetricsCount(t *testing.T) {
	h := handler(t, Keys("key"), MaxItems(4))
	eng := enginetest.Open(t, engine.MaxLength(8), engine.Observe(h.Passes("tiny")))
	if _, err := eng.Score(t.Context(), nil, pairsOf("a", []string{"warms it up"})); err != nil {
		t.Fatal(err)
	}
	if err := h.Use(Model{"tiny", eng}); err != nil {
		t.Fatal(err)
	}
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
		{5, "te_batch_next_size", nil}, // with that of the text that was too long
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

// What promtool complains of is text-embeddings-inference's and vLLM's names alone, which their
// dashboards know.
func TestMetricsAreWellFormed(t *testing.T) {
	h, _ := open(t, scoring)
	send(h, "POST", "/rerank", teiBody)
	problems, err := promlint.New(send(h, "GET", metricsPath, "").Body).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, "te_") && !strings.HasPrefix(p.Metric, "vllm:") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// Prometheus asks for compressed metrics.
func TestMetricsCompressed(t *testing.T) {
	h, _ := open(t, scoring)
	r := httptest.NewRequest("GET", metricsPath, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := serveOne(h, r)
	z, err := gzip.NewReader(w.Body)
	if err != nil || w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatal(err, w.Header())
	}
	if text, err := io.ReadAll(z); err != nil || !strings.Contains(string(text), "te_queue_size 0") {
		t.Errorf("%v: %s", err, text)
	}
}
