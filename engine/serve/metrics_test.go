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
