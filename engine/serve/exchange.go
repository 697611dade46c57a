package serve

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
)

// exchange is one request while it is answered.
type exchange struct {
	h     *Handler
	w     http.ResponseWriter
	r     *http.Request
	facts facts
	kept  int64 // bytes of its results and answer, as far as they are there
	// placed says that the exchange has a place: see takePlace.
	placed bool
	// after runs when the exchange has ended, last first: a gate gives back what it took.
	after []func()
	over  bool // it has ended
}

// facts are what is known of an exchange so far. Metrics, headers and the log read them when
// it has ended (Handler.ended). There is no text of the client's among them.
type facts struct {
	began    time.Time
	dialect  string // whose words the reply has; "" on a path that no dialect has
	path     string // the route's pattern, such as /v2/models/{model}/infer; "" if there is none
	open     bool   // a probe or the like: see route
	asked    bool   // the body was understood: task, model and what follows is known
	task     task
	model    string
	scale    scale // sigmoid or raw, of scores
	single   bool  // one text where a list may be
	items    int   // pairs, texts or sequences
	length   int   // characters of all of them
	cut      int   // items that had too many tokens, and lost some
	received int   // bytes of the body
	sent     int   // bytes of the reply
	stats    engine.CallStats
	unknown  []string // the body's fields that the dialect does not know
	failure  *failure // nil for an answer
	status   int
	took     time.Duration // from began until the reply was written, but for its last bytes
	lengths  []int         // tokens of each item, before it is cut; nil without an answer
	traced   traced
}

// onEnd makes f run when the exchange has ended.
func (x *exchange) onEnd(f func()) { x.after = append(x.after, f) }

// giveBack has gates take back what the exchange has had of them so far.
func (x *exchange) giveBack() {
	for i := len(x.after) - 1; i >= 0; i-- {
		x.after[i]()
	}
	x.after = nil
}

// ended counts each exchange once: before the client has the last bytes of the reply, so that who has it
// may ask again, and finds it in metrics and in the log.
func (h *Handler) ended(x *exchange) {
	if x.over {
		return
	}
	x.over = true
	f := &x.facts
	f.took = time.Since(f.began)
	x.giveBack()
	h.metrics.ended(x)
	level := slog.LevelDebug
	if f.failure != nil && f.failure.kind.ours() {
		level = slog.LevelWarn
	}
	if !h.options.logger.Enabled(context.Background(), level) {
		return
	}
	about := []slog.Attr{
		slog.String("method", x.r.Method), slog.String("path", f.path), slog.String("dialect", f.dialect),
		slog.Int("status", f.status), slog.Duration("took", f.took),
	}
	if f.traced.trace != "" {
		about = append(about, slog.String("trace_id", f.traced.trace), slog.String("parent_span_id", f.traced.span))
	}
	if f.asked {
		about = append(about, slog.String("model", f.model), slog.Int("items", f.items), slog.Int("tokens", f.stats.Tokens), slog.Int("cut", f.cut))
	}
	if len(f.unknown) > 0 {
		about = append(about, slog.Int("unknown_fields", len(f.unknown)))
	}
	if f.failure != nil {
		about = append(about, slog.String("failure", f.failure.kind.String()), slog.String("why", f.failure.message))
		if f.failure.cause != nil {
			about = append(about, slog.Any("cause", f.failure.cause))
		}
	}
	h.options.logger.LogAttrs(context.Background(), level, "request", about...)
}
