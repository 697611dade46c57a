package serve

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Option sets one thing about a Handler. A nil Option sets nothing; if two set the same thing,
// the last one counts. New returns an error for an invalid value.
type Option func(*options)

type options struct {
	dialect  string // "" for none
	strict   bool
	bytes    int64 // the longest body
	items    int   // the most texts in a request
	text     int64 // the most bytes of all texts of a request
	requests int   // the most at a time
	logger   *slog.Logger

	keys         []string
	keyedMetrics bool
	uncut        bool          // texts that are too long are failures where a request of text-embeddings-inference's does not say
	bodyTimeout  time.Duration // 0: none
	replyTimeout time.Duration // 0: none
}

func defaults() options {
	return options{
		bytes:    8 << 20,
		items:    10_000,
		text:     64 << 20,
		requests: 512,
		logger:   slog.New(slog.DiscardHandler),
	}
}

func (o *options) check() error {
	if known := Dialects(); o.dialect != "" && !slices.Contains(known, o.dialect) {
		return fmt.Errorf("serve: no dialect %.40q, want one of %s", o.dialect, strings.Join(known, ", "))
	}
	if o.bytes < 1 {
		return fmt.Errorf("serve: bodies of %d bytes, want at least 1", o.bytes)
	}
	if o.items < 1 {
		return fmt.Errorf("serve: %d texts a request, want at least 1", o.items)
	}
	if o.requests < 1 {
		return fmt.Errorf("serve: %d requests at a time, want at least 1", o.requests)
	}
	if o.text < 1 {
		return fmt.Errorf("serve: texts of %d bytes, want at least 1", o.text)
	}
	for name, d := range map[string]time.Duration{"body": o.bodyTimeout, "reply": o.replyTimeout} {
		if d < 0 {
			return fmt.Errorf("serve: %v for a %s, want more than 0, or 0 for any time", d, name)
		}
	}
	return checkKeys(o.keys)
}

// Dialect pins the dialect of the paths that several share, such as /rerank. Without it, the
// fields of each body tell. [Dialects] lists the names.
func Dialect(name string) Option { return func(o *options) { o.dialect = name } }

// Strict refuses bodies with fields that their dialect does not know. Without it they are
// counted and otherwise ignored.
func Strict() Option { return func(o *options) { o.strict = true } }

// MaxBody limits the bytes of a body. The default is 8 MiB.
func MaxBody(bytes int64) Option { return func(o *options) { o.bytes = bytes } }

// MaxItems limits the texts of a request. The default is 10,000.
func MaxItems(n int) Option { return func(o *options) { o.items = n } }

// MaxRequests limits the requests that are answered at a time; others are refused as overload.
// The default is 512. Those that the engine is not asked for, such as probes, are not among them.
func MaxRequests(n int) Option { return func(o *options) { o.requests = n } }

// NoAutoTruncate makes texts that are too long a failure of requests in SGLang's dialect, and of
// those in text-embeddings-inference's that do not say what is to be done with them. Without this
// option they are cut.
func NoAutoTruncate() Option { return func(o *options) { o.uncut = true } }

// Logger sets where the handler logs. No log has any text of a request, nor a key. The default,
// nil, is nowhere.
func Logger(l *slog.Logger) Option {
	return func(o *options) {
		if o.logger = l; l == nil {
			o.logger = slog.New(slog.DiscardHandler)
		}
	}
}
