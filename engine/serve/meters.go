package serve

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/minilm-metal/minilm-metal/engine"
)

// meters are the metrics of one model. Those that begin with te_ are what
// text-embeddings-inference has, those with vllm: are aliases for dashboards and autoscalers
// that know vLLM. Durations are of requests that had their answer.
type meters struct {
	asked  atomic.Int64 // requests that the engine is answering
	before int64        // passes that the engine had begun before Use

	requests, succeeded          [2]prometheus.Counter // by single: 0 for a list, 1 for one text
	total, tokenize, queue       prometheus.Observer   // of a request, in seconds
	infer                        prometheus.Observer
	items, itemsDone             prometheus.Counter // texts or pairs
	itemTotal, itemTokenize      prometheus.Observer
	itemQueue, itemInfer         prometheus.Observer
	lengths                      prometheus.Observer // tokens of a text or pair, before it is cut
	passItems, passTokens        prometheus.Observer
	cut                          prometheus.Counter
	promptTokens, vllmDone       prometheus.Counter
	vllmTotal, vllmQueue, vllmIn prometheus.Observer
}

var (
	// teiSeconds are text-embeddings-inference's buckets: 1e-5*1.5^k, k from 1 to 35.
	teiSeconds = prometheus.ExponentialBuckets(1.5e-5, 1.5, 35)
	teiItems   = prometheus.ExponentialBuckets(1, 2, 13)
	teiTokens  = prometheus.ExponentialBuckets(1, 2, 21)
	teiLengths = prometheus.ExponentialBuckets(1, 2, 14)
	// vllmSeconds are vLLM's, made for answers that take seconds.
	vllmSeconds = []float64{.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680}
)

// meter gives each model its meters. Where there are several, theirs have the label model.
func (m *metrics) meter(all []*served) {
	models := &modelMetrics{prometheus.NewRegistry(), map[string]*meters{}}
	for _, s := range all {
		var r prometheus.Registerer = models.registry
		if len(all) > 1 {
			r = prometheus.WrapRegistererWith(prometheus.Labels{"model": s.Name}, r)
		}
		s.meters = newMeters(s, r, prometheus.WrapRegistererWith(prometheus.Labels{"model_name": s.Name}, models.registry))
		models.of[s.Name] = s.meters
	}
	m.models.Store(models)
}

// newMeters registers a model's metrics: with te for those of text-embeddings-inference, and
// with vllm for those of vLLM, which always name the model.
func newMeters(s *served, te, vllm prometheus.Registerer) *meters {
	counter := func(r prometheus.Registerer, name, help string, labels prometheus.Labels) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels})
		r.MustRegister(c)
		return c
	}
	histogram := func(r prometheus.Registerer, name, help string, buckets []float64) prometheus.Observer {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
		r.MustRegister(h)
		return h
	}
	gauge := func(r prometheus.Registerer, name, help string, value func(engine.Stats) float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(s.Engine.Stats()) }))
	}
	m := &meters{before: s.Engine.Stats().Passes}
	for i, method := range []string{"batch", "single"} {
		by := prometheus.Labels{"method": method}
		m.requests[i] = counter(te, "te_request_count", "Requests that the model was asked, by whether they have a list or a single text.", by)
		m.succeeded[i] = counter(te, "te_request_success", "Requests that the model answered.", by)
	}
	m.total = histogram(te, "te_request_duration", "Seconds from a request's header to its reply.", teiSeconds)
	m.tokenize = histogram(te, "te_request_tokenization_duration", "Seconds in which a request's texts were tokenized, summed over passes.", teiSeconds)
	m.queue = histogram(te, "te_request_queue_duration", "Seconds that a request waited for its first pass.", teiSeconds)
	m.infer = histogram(te, "te_request_inference_duration", "Seconds from when a request's first pass began to compute until its last ended.", teiSeconds)
	m.lengths = histogram(te, "te_request_input_length", "Tokens of a text or pair, before it is cut.", teiLengths)

	kind := "te_predict"
	if s.does == embedding {
		kind = "te_embed"
	}
	m.items = counter(te, kind+"_count", "Texts or pairs that the model was asked for.", nil)
	m.itemsDone = counter(te, kind+"_success", "Texts or pairs that have a result.", nil)
	m.itemTotal = histogram(te, kind+"_duration", "te_request_duration, once for each text or pair.", teiSeconds)
	m.itemTokenize = histogram(te, kind+"_tokenization_duration", "te_request_tokenization_duration, once for each text or pair.", teiSeconds)
	m.itemQueue = histogram(te, kind+"_queue_duration", "te_request_queue_duration, once for each text or pair.", teiSeconds)
	m.itemInfer = histogram(te, kind+"_inference_duration", "te_request_inference_duration, once for each text or pair.", teiSeconds)

	gauge(te, "te_queue_size", "Texts or pairs that wait.", func(s engine.Stats) float64 { return float64(s.WaitingPairs) })
	m.passItems = histogram(te, "te_batch_next_size", "Texts or pairs in a pass.", teiItems)
	m.passTokens = histogram(te, "te_batch_next_tokens", "Tokens in a pass.", teiTokens)
	m.cut = counter(te, "minilm_truncated_total", "Texts or pairs that had too many tokens, and lost some.", nil)

	gauge(vllm, "vllm:num_requests_waiting", "Requests none of whose texts is in a pass.", func(s engine.Stats) float64 { return float64(s.WaitingCalls) })
	gauge(vllm, "vllm:num_requests_running", "Requests of which some text is in a pass, or was.", func(s engine.Stats) float64 {
		return float64(max(0, int(m.asked.Load())-s.WaitingCalls))
	})
	m.promptTokens = counter(vllm, "vllm:prompt_tokens_total", "Tokens that the model has read.", nil)
	m.vllmDone = counter(vllm, "vllm:request_success_total", "Requests that the model answered.", prometheus.Labels{"finished_reason": "stop"})
	m.vllmTotal = histogram(vllm, "vllm:e2e_request_latency_seconds", "te_request_duration, in vLLM's buckets.", vllmSeconds)
	m.vllmQueue = histogram(vllm, "vllm:request_queue_time_seconds", "te_request_queue_duration, in vLLM's buckets.", vllmSeconds)
	m.vllmIn = histogram(vllm, "vllm:request_inference_time_seconds", "te_request_inference_duration, in vLLM's buckets.", vllmSeconds)
	return m
}

// ended counts a request that the model was asked.
func (m *meters) ended(f *facts) {
	method := 0
	if f.single {
		method = 1
	}
	m.requests[method].Inc()
	counted := f.task < tokenizing // tokens alone need no model
	if counted {
		m.items.Add(float64(f.items))
	}
	if f.failure != nil {
		return
	}
	m.succeeded[method].Inc()
	if !counted {
		return
	}
	total, tokenize, queue, infer := f.took.Seconds(), f.stats.Tokenize.Seconds(), f.stats.Queue.Seconds(), f.stats.Infer.Seconds()
	m.total.Observe(total)
	m.tokenize.Observe(tokenize)
	m.queue.Observe(queue)
	m.infer.Observe(infer)
	m.itemsDone.Add(float64(f.items))
	for range f.items {
		m.itemTotal.Observe(total)
		m.itemTokenize.Observe(tokenize)
		m.itemQueue.Observe(queue)
		m.itemInfer.Observe(infer)
	}
	for _, n := range f.lengths {
		m.lengths.Observe(float64(n))
	}
	m.cut.Add(float64(f.cut))
	m.promptTokens.Add(float64(f.stats.Tokens))
	m.vllmDone.Inc()
	m.vllmTotal.Observe(total)
	m.vllmQueue.Observe(queue)
	m.vllmIn.Observe(infer)
}

// Passes returns what an engine must be opened with, in [engine.Observe], for the metrics to have
// the sizes of the passes of the model of that name. As many as it had begun before Use, which warm it
// up, are not counted: of the last of them it may tell when its call has returned, and so after Use.
func (h *Handler) Passes(model string) func(engine.PassStats) {
	var told atomic.Int64 // of how many passes
	return func(s engine.PassStats) {
		n := told.Add(1)
		models := h.metrics.models.Load()
		if models == nil {
			return
		}
		if m := models.of[model]; m != nil && n > m.before {
			m.passItems.Observe(float64(s.Pairs))
			m.passTokens.Observe(float64(s.Tokens))
		}
	}
}
