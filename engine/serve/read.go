package serve

import (
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// read reads the body and finds its fields.
func (h *Handler) read(x *exchange, candidates []bound) (*body, *failure) {
	m, f := h.inPath(x.r)
	if f != nil {
		return nil, f
	}
	if coding := x.r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		f := failed(mediaType, "the content encoding is %.40q: send the body as it is, since none is read", coding)
		f.headers = http.Header{"Accept-Encoding": {"identity"}} // RFC 9110, 15.5.16
		return nil, f
	}
	raw, f := h.receive(x)
	if f != nil {
		return nil, f
	}
	n, split, f := jsonLength(x.r.Header, len(raw), candidates)
	if f != nil {
		return nil, f
	}
	if !split && !isJSON(x.r.Header.Get("Content-Type")) {
		return nil, failed(mediaType, "the content type is %.40q, want %s, or none", x.r.Header.Get("Content-Type"), jsonType)
	}
	b, f := parseBody(raw[:n])
	if f != nil {
		return nil, f
	}
	if inPattern(x.r, "model") == "" { // else the path has the last word
		m = h.inBody(b, m)
	}
	b.rest, b.items, b.does = raw[n:], h.options.items, m.does
	b.uncut = h.options.uncut
	b.value = x.r.PathValue
	return b, nil
}

// receive returns the bytes of the body.
func (h *Handler) receive(x *exchange) ([]byte, *failure) {
	most := h.options.bytes
	if x.r.ContentLength > most { // before a byte is read
		return nil, tooManyBytes(most)
	}
	raw, err := io.ReadAll(h.holding(x, http.MaxBytesReader(x.w, x.r.Body, most)))
	x.facts.received = len(raw)
	if full := (*failure)(nil); errors.As(err, &full) {
		return nil, full
	}
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, tooManyBytes(most)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, failed(timedOut, "the body did not come within %v, the limit of --read-timeout", h.options.bodyTimeout)
	}
	if err != nil {
		f := failed(badJSON, "the body is not framed as HTTP has it")
		if hasGone(x.r, err) {
			f = failed(cancelled, "the body ended before its time")
		}
		f.cause = err
		return nil, f
	}
	return raw, h.takePlace(x)
}

// hasGone reports whether a body could not be read because its client has gone. If not, the client
// waits for an answer.
func hasGone(r *http.Request, err error) bool {
	network := (*net.OpError)(nil)
	return r.Context().Err() != nil || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network)
}

func tooManyBytes(most int64) *failure {
	return failed(tooLarge, "the body has more than %d bytes, the limit of --max-body", most)
}

// jsonLength returns how many bytes of the body are JSON, and whether a header says so.
func jsonLength(header http.Header, bytes int, candidates []bound) (n int, split bool, f *failure) {
	for _, c := range candidates {
		if c.prefix == "" || header.Get(c.prefix) == "" {
			continue
		}
		n, err := strconv.Atoi(header.Get(c.prefix))
		if err != nil || n < 0 || n > bytes {
			return 0, true, failed(badValue, "header %s: want a number of bytes, at most the %d of the body", c.prefix, bytes)
		}
		return n, true, nil
	}
	return bytes, false, nil
}

// isJSON reports whether a content type is that of JSON. None counts as JSON: Weaviate sends
// none.
func isJSON(content string) bool {
	if content == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(content)
	return err == nil && (media == jsonType || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"))
}
