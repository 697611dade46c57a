package serve

import (
	"math"
	"strconv"
	"time"
)

// headers sets the headers that replies of all dialects have.
func (h *Handler) headers(x *exchange, words bound) {
	x.facts.dialect = words.dialect.name
	x.w.Header().Set("X-Dialect", words.dialect.name)
	if x.facts.failure == nil && x.facts.asked && x.facts.task < tokenizing {
		h.timings(x)
		if x.facts.task == scoring {
			x.w.Header().Set("X-Scores", scales[x.facts.scale])
		}
	}
}

// scales name what scores are, in the header X-Scores.
var scales = [...]string{sigmoid: "sigmoid", raw: "raw"}

// timings are what an answer cost, in the headers of text-embeddings-inference. Times are
// in whole milliseconds.
func (h *Handler) timings(x *exchange) {
	f, header := &x.facts, x.w.Header()
	total := time.Since(f.began)
	for name, d := range map[string]time.Duration{
		"X-Compute-Time": total, "X-Total-Time": total, "X-Tokenization-Time": f.stats.Tokenize,
		"X-Queue-Time": f.stats.Queue, "X-Inference-Time": f.stats.Infer,
	} {
		header.Set(name, strconv.FormatInt(d.Milliseconds(), 10))
	}
	header.Set("X-Compute-Type", h.computes(f.model))
	header.Set("X-Compute-Characters", strconv.Itoa(f.length))
	header.Set("X-Compute-Tokens", strconv.Itoa(f.stats.Tokens))
}

// computes is "cpu", or "gpu+optimized" as text-embeddings-inference says of any GPU.
func (h *Handler) computes(model string) string {
	if m, f := h.named(model); f == nil && m.info.Device == "metal" {
		return "gpu+optimized"
	}
	return "cpu"
}

// retryAfter is the value of Retry-After, in whole seconds, of which there is at least one.
func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}
