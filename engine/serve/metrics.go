package serve

import (
	"bytes"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsPath is where Prometheus reads metrics.
const metricsPath = "/metrics"

// metrics are what /metrics has: those of the whole server here, and those of each model in
// meters. Names without _total, which Prometheus would have, are text-embeddings-inference's.
type metrics struct {
	server   *prometheus.Registry
	http     *prometheus.HistogramVec
	failures *prometheus.CounterVec
	unknown  *prometheus.CounterVec
	models   atomic.Pointer[modelMetrics] // nil until Use
}

// modelMetrics are those of the models of one Use.
type modelMetrics struct {
	registry *prometheus.Registry
	of       map[string]*meters // by the model's name
}

// httpBuckets are OpenTelemetry's for http.server.request.duration, in seconds.
var httpBuckets = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}

func newMetrics() *metrics {
	m := &metrics{
		server: prometheus.NewRegistry(),
		http: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_server_request_duration_seconds",
			Help:    "Duration of HTTP requests, from their header until the reply was written.",
			Buckets: httpBuckets,
		}, []string{"http_request_method", "url_scheme", "http_route", "http_response_status_code"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "te_request_failure", Help: "Requests that a model was to answer and did not, by cause.",
		}, []string{"err"}),
		unknown: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "minilm_unknown_fields_total", Help: "Fields of requests that their dialect does not know.",
		}, []string{"dialect"}),
	}
	for _, err := range failureCauses {
		if err != "" {
			m.failures.WithLabelValues(err) // 0, so that the first is an increase
		}
	}
	m.server.MustRegister(m.http, m.failures, m.unknown, collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// failureCauses are text-embeddings-inference's names for what fails. What never was a question
// to a model, such as a wrong path or key, is in the HTTP metrics alone.
var failureCauses = [kinds]string{
	badJSON: "validation", missingField: "validation", wrongType: "validation", badValue: "validation",
	unknownField: "validation", ambiguous: "validation", invalid: "validation", noItems: "validation",
	noModel: "validation", mediaType: "validation", tooLarge: "validation", timedOut: "validation",
	tooManyItems: "batch_size", tooLong: "tokenization", wrongModel: "model_type", overloaded: "overloaded",
	badResult: "inference", deviceFailed: "inference", internal: "inference", cancelled: "dropped", outOfTime: "dropped",
}

// ended counts an exchange.
func (m *metrics) ended(x *exchange) {
	f := &x.facts
	m.http.WithLabelValues(methodOf(x.r), schemeOf(x.r), f.path, strconv.Itoa(f.status)).Observe(f.took.Seconds())
	if n := len(f.unknown); n > 0 {
		m.unknown.WithLabelValues(f.dialect).Add(float64(n))
	}
	if f.failure != nil {
		if err := failureCauses[f.failure.kind]; err != "" {
			m.failures.WithLabelValues(err).Inc()
		}
	}
	if models := m.models.Load(); models != nil && f.asked {
		if of := models.of[f.model]; of != nil {
			of.ended(f)
		}
	}
}

// methodOf is a request's method, of those that HTTP has: a client cannot make a label of its own.
func methodOf(r *http.Request) string {
	switch m := r.Method; m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return m
	}
	return "_OTHER" // OpenTelemetry's name
}

func schemeOf(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// answer is /metrics, in Prometheus' text format, compressed where the client wants that.
func (m *metrics) answer(r *http.Request) reply {
	all := prometheus.Gatherers{m.server}
	if models := m.models.Load(); models != nil {
		all = append(all, models.registry)
	}
	w := &written{header: http.Header{}, status: http.StatusOK}
	promhttp.HandlerFor(all, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	content := w.header.Get("Content-Type")
	w.header.Del("Content-Type")
	w.header.Del("Content-Length")
	return reply{status: w.status, content: content, body: w.body.Bytes(), headers: w.header}
}

// written keeps what a handler writes.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *written) Header() http.Header         { return w.header }
func (w *written) WriteHeader(status int)      { w.status = status }
func (w *written) Write(b []byte) (int, error) { return w.body.Write(b) }

func serveMetrics(h *Handler, x *exchange) (reply, *failure) { return h.metrics.answer(x.r), nil }
