package serve

import (
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// Handler answers requests in all dialects. It is safe for concurrent use.
type Handler struct {
	options  options
	mux      *http.ServeMux
	models   atomic.Pointer[[]*served] // nil until Use
	draining atomic.Bool
	places   chan struct{} // has an element for each exchange that is being answered
	turns    chan struct{} // and for each that makes many tokens
	held     atomic.Int64  // bytes of all bodies and answers in memory
	metrics  *metrics

	keys       keys
	keyHeaders []string // in which they may come
}

// New returns a handler that is live and not ready: it answers probes, and nothing else until
// Use. The error is about an option.
func New(opts ...Option) (*Handler, error) {
	o := defaults()
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	all := table()
	h := &Handler{options: o, mux: http.NewServeMux(), places: make(chan struct{}, o.requests), turns: make(chan struct{}, tokensTurns), metrics: newMetrics(),
		keys: hashed(o.keys), keyHeaders: keyHeaders(all)}
	for path, methods := range paths(all) {
		pattern := path
		if path == "/" {
			pattern = "/{$}"
		}
		h.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, path, methods) })
	}
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, "", nil) })
	return h, nil
}

// Drain says that the server is about to end: probes of readiness fail from now on, so that no
// more requests are sent here. Those that come are still answered, and their connections closed
// after the answer: a client that keeps asking has none when the server closes those that are idle.
func (h *Handler) Drain() { h.draining.Store(true) }

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mux.ServeHTTP(w, h.withName(withPath(r)))
}

// serve answers a request of a path, whose routes it has by method.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, path string, methods map[string][]bound) {
	x := &exchange{h: h, w: w, r: r, facts: facts{began: time.Now(), path: path, traced: traceOf(r.Header.Get("Traceparent"))}}
	h.hurryBody(x)
	defer h.ended(x) // where no reply could be sent, or the function below panics
	var words bound
	defer func() {
		if reason := recover(); reason != nil {
			if reason == http.ErrAbortHandler {
				panic(reason)
			}
			h.options.logger.Error("panic", "panic", reason, "stack", string(debug.Stack()))
			if x.facts.status == 0 {
				h.refuse(x, words, failed(internal, "an internal error, which the server's log describes"))
			}
		}
	}()
	if methods == nil {
		h.nowhere(x)
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	candidates := methods[method]
	if candidates == nil {
		h.other(x, methods)
		return
	}
	words = h.undecided(candidates)
	if p, f := h.answer(x, candidates, &words); f != nil {
		h.refuse(x, words, f)
	} else {
		h.headers(x, words)
		x.send(p)
	}
}

// nowhere answers a path that there is not. As long as there are no models, it may be that of one
// whose name has a slash.
func (h *Handler) nowhere(x *exchange) {
	f := failed(notFound, "no such path")
	if loading := h.isReady(); loading != nil && namesModel(x.r.URL.Path) {
		f = loading
		x.w.Header().Set("Retry-After", retryAfter(f.retry))
	}
	x.facts.failure = f
	x.send(reply{status: statuses[f.kind]})
}

// other answers a method that a path does not have. OPTIONS asks which it has.
func (h *Handler) other(x *exchange, methods map[string][]bound) {
	x.w.Header().Set("Allow", allowed(methods))
	if x.r.Method == http.MethodOptions {
		x.send(reply{status: http.StatusOK})
		return
	}
	x.facts.failure = failed(wrongMethod, "the path has other methods")
	x.send(reply{status: http.StatusMethodNotAllowed})
}

// answer takes an exchange through all steps up to its reply. It sets words to the route as
// soon as that is known: its dialect words a failure.
func (h *Handler) answer(x *exchange, candidates []bound, words *bound) (reply, *failure) {
	defer h.leave(x)
	x.facts.open = words.open
	if f := h.hasKey(x); f != nil {
		return reply{}, f
	}
	if f := h.pass(*words); f != nil {
		return reply{}, f
	}
	if words.plain != nil {
		return words.plain(h, x)
	}
	b, f := h.read(x, candidates)
	if f != nil {
		return reply{}, f
	}
	route, f := h.tell(candidates, b)
	*words = route
	if f != nil {
		return reply{}, f
	}
	q, encode := route.ask(b)
	if f := h.understood(x, b); f != nil {
		return reply{}, f
	}
	return h.run(x, &q, encode)
}

// understood returns the failure of a body that its dialect has read.
func (h *Handler) understood(x *exchange, b *body) *failure {
	if b.failed != nil {
		return b.failed
	}
	x.facts.unknown = b.unknown()
	if n := x.facts.unknown; h.options.strict && len(n) > 0 {
		return about(n[0], unknownField, "unknown field %.80q", n[0])
	}
	return nil
}

// refuse replies with a failure, in the words of a route's dialect.
func (h *Handler) refuse(x *exchange, words bound, f *failure) {
	x.facts.failure = f
	h.headers(x, words)
	header := x.w.Header()
	for name, values := range f.headers {
		header[name] = values
	}
	if f.retry > 0 {
		header.Set("Retry-After", retryAfter(f.retry))
	}
	x.send(words.dialect.word(f))
}
