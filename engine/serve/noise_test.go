package serve

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Bytes at random, and requests with some bytes changed, cut or repeated: each connection ends
// with an answer that is no fault of ours or without one, and none is left.
func TestNoiseOnTheSocket(t *testing.T) {
	var log bytes.Buffer
	h, _ := open(t, scoring, BodyTimeout(time.Minute), Logger(slog.New(slog.NewTextHandler(&log, nil))))
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	requests := []string{
		"POST /rerank HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n" + `{"query": "a", "texts": ["b"]}`,
		"POST /v2/rerank HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n" + `{"query": "a", "documents":["b"]}` + "\r\n0\r\n\r\n",
		"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: a\r\nInference-Header-Content-Length: 3\r\nContent-Length: 9\r\n\r\n{}\n\x01\x00\x00\x00aa",
		"GET /v2/models/tiny/versions/1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nTraceparent: 00-0-0-00\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	}
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	before := runtime.NumGoroutine()
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		c := dialled(t, s)
		c.Write(noise(r, requests))
		c.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(c)
		c.Close()
		for _, line := range strings.Split(string(answer), "\r\n") {
			if status := 0; strings.HasPrefix(line, "HTTP/1.") {
				if n, _ := fmt.Sscanf(line[len("HTTP/1.1"):], "%d", &status); n != 1 || status >= 500 && status != http.StatusNotImplemented && status != http.StatusHTTPVersionNotSupported {
					t.Fatalf("seed %d: %s", seed, line)
				}
			}
		}
	}
	if log.Len() > 0 {
		t.Errorf("it was the server's fault:\n%s", &log)
	}
	s.CloseClientConnections()
	until(func() bool { return runtime.NumGoroutine() <= before+2 && len(h.places) == 0 })
	if w := send(h, "POST", "/rerank", teiBody); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A body that is not framed as HTTP has it is the fault of a client that is still there: it gets
// an answer, and the connection ends.
func TestBadChunks(t *testing.T) {
	h, _ := open(t, scoring)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	for _, chunks := range []string{"xyz\r\n", "2\r\n{}no line\r\n", "-1\r\n{}\r\n"} {
		c := dialled(t, s)
		fmt.Fprintf(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%s", chunks)
		answer, _ := io.ReadAll(c)
		if !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || !strings.HasSuffix(string(answer), "the body is not framed as HTTP has it") {
			t.Errorf("%q: %s", chunks, answer)
		}
	}
	if n := sample(t, scraped(t, h), "te_request_failure", "err", "validation"); n != 3 {
		t.Errorf("%v failures, want 3", n)
	}
}

// noise makes bytes of one of the requests, or none of them.
func noise(r *rand.Rand, requests []string) []byte {
	text := []byte(requests[r.IntN(len(requests))])
	if r.IntN(5) == 0 {
		text = make([]byte, r.IntN(3000))
		for i := range text {
			text[i] = byte(r.Uint32())
		}
		return text
	}
	for range r.IntN(5) {
		i := r.IntN(len(text))
		switch r.IntN(4) {
		case 0:
			text[i] = byte(r.Uint32())
		case 1:
			text = text[:i+1]
		case 2:
			text = append(text[:i:i], text[min(len(text), i+1+r.IntN(9)):]...)
			if len(text) == 0 {
				return text
			}
		case 3:
			text = append(text[:i:i], append(bytes.Repeat(text[i:i+1], 1+r.IntN(2000)), text[i:]...)...)
		}
	}
	return text
}
