package serve

import (
	"io"
	"math"
	"net/http"
	"time"
)

// MaxText limits the bytes of all texts that a request has the model read, a query counted with
// each of its passages: a long query with many short passages is little to send and much to read.
// The default is 64 MiB. Texts of which only tokens are wanted may have a 32nd of it, and so may the
// ids of which only texts are. An id counts as 4 bytes.
func MaxText(bytes int64) Option { return func(o *options) { o.text = bytes } }

// BodyTimeout limits how long a client may take to send a body, after the header. 0, the default,
// is no limit. It is meant in place of http.Server's ReadTimeout, of which no error can tell.
func BodyTimeout(d time.Duration) Option { return func(o *options) { o.bodyTimeout = d } }

// ReplyTimeout limits how long a client may take to read a reply, from when it is there. 0, the
// default, is no limit. It is meant in place of http.Server's WriteTimeout, which counts the time
// to compute it, too.
func ReplyTimeout(d time.Duration) Option { return func(o *options) { o.replyTimeout = d } }

// hurryBody gives the client a time for its body. It holds for refusals, too: net/http reads on
// after one, to keep the connection. When the body has come whole, net/http ends it.
func (h *Handler) hurryBody(x *exchange) {
	if h.options.bodyTimeout > 0 && x.r.Body != http.NoBody { // in HTTP/2, one of length 0 may be long in ending
		// A writer that cannot do this is no network's.
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Now().Add(h.options.bodyTimeout))
	}
}

// mostSkipped is how many times MaxBody may be skipped of a body.
const mostSkipped = 4

// skipBody reads what has not been read of a refused body, and keeps none of it: many clients send all
// of a body before they read, and net/http closes the connection of one that has more than 256 KB left,
// so that they would see a broken pipe and not why. A client that asks for leave to send (100-continue)
// is told the answer in its place.
func (x *exchange) skipBody() {
	if x.r.Body == nil || x.r.Header.Get("Expect") != "" {
		return
	}
	_, _ = io.CopyN(io.Discard, x.r.Body, x.h.options.bodies(mostSkipped))
}

// holding is a body's reader that counts its bytes among those that are held in memory, until the
// exchange's end. So are those of results and answers (keep). Together they may be as long as
// MaxRequests bodies of MaxBody: what slow clients have sent so far is memory, and what slow clients
// have not read yet.
func (h *Handler) holding(x *exchange, body io.Reader) io.Reader {
	c := &counted{h: h, body: body}
	x.onEnd(func() { h.held.Add(-c.bytes) })
	return c
}

type counted struct {
	h     *Handler
	body  io.Reader
	bytes int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.body.Read(b)
	c.bytes += int64(n)
	if c.h.held.Add(int64(n)) > c.h.options.mostHeld() {
		return n, c.h.holdsTooMuch()
	}
	return n, err
}

// keep counts the bytes of results or of an answer among those that are held in memory, until the
// exchange's end. If there are too many without them, they are not to be kept: many requests may have come
// before their answers, which can be a hundred times as long, were there. One alone is always kept.
func (h *Handler) keep(x *exchange, bytes int) *failure {
	n := int64(bytes)
	if h.held.Add(n)-n-x.kept > h.options.mostHeld() {
		h.held.Add(-n)
		return h.holdsTooMuch()
	}
	x.kept += n
	x.onEnd(func() { h.held.Add(-n) })
	return nil
}

func (h *Handler) holdsTooMuch() *failure {
	f := failed(overloaded, "what is held of all requests and replies has more than %d bytes, the product of --max-requests and --max-body", h.options.mostHeld())
	f.retry = h.wait()
	return f
}

// mostHeld is the most bytes of all bodies and answers together, with which more are taken.
func (o *options) mostHeld() int64 { return o.bodies(int64(o.requests)) }

// bodies is how many bytes n bodies may have.
func (o *options) bodies(n int64) int64 {
	if o.bytes <= math.MaxInt64/n {
		return o.bytes * n
	}
	return math.MaxInt64
}

// tooMuchText is the failure of a question with more text than the limit; nil if it has not.
func (h *Handler) tooMuchText(q *question) *failure {
	n := q.bytes()
	switch most := h.options.text / tokensShare; {
	case q.task == tokenizing && n > most:
		return failed(tooLarge, "the texts have %d bytes, and for their tokens --max-text allows a part of itself, %d", n, most)
	case q.task == detokenizing && n > most:
		return failed(tooLarge, "the token ids count as %d bytes, 4 each, and for their texts --max-text allows a part of itself, %d", n, most)
	case n > h.options.text && q.ids != nil:
		return failed(tooLarge, "the token ids count as %d bytes, 4 each, and --max-text allows %d", n, h.options.text)
	case n > h.options.text:
		return failed(tooLarge, "the texts have %d bytes, a query counted with each of its passages, and --max-text allows %d", n, h.options.text)
	}
	return nil
}

// bytes counts those of all texts, the query once for each pair, and 4 of each token id.
func (q *question) bytes() (n int64) {
	for i := range q.pairs {
		n += int64(len(q.pairs[i].Query)) + int64(len(q.pairs[i].Passage))
	}
	for _, t := range q.texts {
		n += int64(len(t))
	}
	for i := range q.sequences {
		n += int64(len(q.sequences[i].first)) + int64(len(q.sequences[i].second))
	}
	for _, ids := range q.ids {
		n += 4 * int64(len(ids))
	}
	return n
}
