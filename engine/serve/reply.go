package serve

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// reply is what goes back to the client.
type reply struct {
	status  int
	content string // the content type; "" for a reply without a body
	body    []byte
	headers http.Header // others; may be nil
}

const (
	jsonType = "application/json"
	textType = "text/plain; charset=utf-8"
)

// asJSON is a reply with the JSON of a value.
func asJSON(status int, v any) reply {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		// Values are checked to be numbers before, and all else can be written.
		return asText(http.StatusInternalServerError, "the answer cannot be written as JSON")
	}
	return reply{status: status, content: jsonType, body: bytes.TrimSuffix(b.Bytes(), []byte("\n"))}
}

// asText is a reply with a line of text.
func asText(status int, text string) reply {
	return reply{status: status, content: textType, body: []byte(text)}
}

// send writes the reply. Errors of the connection are not reported: the client has gone.
func (x *exchange) send(p reply) {
	if x.facts.failure != nil {
		x.giveBack() // what came of a refused body is kept no longer, however long the rest takes
		x.skipBody()
	}
	h := x.w.Header()
	for name, values := range p.headers {
		h[name] = values
	}
	if p.content != "" {
		h.Set("Content-Type", p.content)
	}
	h.Set("Content-Length", strconv.Itoa(len(p.body)))
	if x.h.draining.Load() {
		h.Set("Connection", "close")
	}
	x.facts.status, x.facts.sent = p.status, len(p.body)
	c := http.NewResponseController(x.w)
	if t := x.h.options.replyTimeout; t > 0 {
		_ = c.SetWriteDeadline(time.Now().Add(t))
		defer func() { _ = c.SetWriteDeadline(time.Time{}) }() // the connection's next reply has its own
	}
	x.w.WriteHeader(p.status)
	if x.r.Method != http.MethodHead {
		most := max(0, len(p.body)-lastBytes)
		_, _ = x.w.Write(p.body[:most])
		_, _ = x.w.Write(p.body[most:])
	}
	x.h.ended(x)
	_ = c.Flush() // within the deadline
}

// lastBytes are so few that net/http, which has a buffer of 2 KB for each reply in HTTP/1 and of 4 in HTTP/2,
// keeps them until they are flushed, with the header of a short reply.
const lastBytes = 1 << 10
