package serve

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// watched is a writer that calls last before the last bytes go to the client, which is when they are flushed.
type watched struct {
	http.ResponseWriter
	last func()
}

func (w *watched) FlushError() error {
	w.last()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Who has an answer, or why there is none, finds it in metrics and in the log, and may ask again at
// once: nothing that the request had of the limits is still taken.
func TestAnsweredIsCounted(t *testing.T) {
	var log bytes.Buffer
	h, _ := open(t, scoring, MaxRequests(1), MaxBody(1<<16), Logger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	var last func()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&watched{w, last}, r) }))
	t.Cleanup(s.Close)
	long := strings.Repeat("b", 3*lastBytes)
	for i, c := range []struct {
		body           string
		status         int
		metric, labels string
	}{
		{teiBody, 200, "te_request_success", "method=batch"},
		{`{"query": "a", "texts": ["` + long + `"], "return_text": true}`, 200, "te_request_success", "method=batch"},
		{`{"query": "a", "texts": ["b"`, 400, "te_request_failure", "err=validation"},
		{strings.Repeat(" ", 1<<17), 413, "te_request_failure", "err=validation"},
	} {
		name, value, _ := strings.Cut(c.labels, "=")
		calls, before := 0, 0.
		if i > 0 {
			before = sample(t, scraped(t, h), c.metric, name, value)
		}
		log.Reset()
		last = func() {
			calls++
			if n := h.held.Load(); n != 0 || len(h.places) != 0 {
				t.Errorf("%.40s: %d bytes are held, %d places are taken", c.body, n, len(h.places))
			}
			if line := log.String(); !strings.Contains(line, fmt.Sprintf("path=/rerank dialect=tei status=%d", c.status)) {
				t.Errorf("%.40s: the log is %q", c.body, line)
			}
			if n := sample(t, scraped(t, h), c.metric, name, value); n != before+1 {
				t.Errorf("%.40s: %s is %v after %v", c.body, c.metric, n, before)
			}
		}
		if w, err := s.Client().Post(s.URL+"/rerank", jsonType, strings.NewReader(c.body)); err != nil || w.StatusCode != c.status || calls != 1 {
			t.Fatalf("%.40s: %v, %v, %d flushes", c.body, w, err, calls)
		} else if text, err := io.ReadAll(w.Body); err != nil || strings.Contains(c.body, long) && !strings.Contains(string(text), long) {
			t.Errorf("%.40s: %.100s, %v", c.body, text, err)
		}
	}
}

// What net/http sends of a reply before it is flushed lacks its last bytes, short or long.
func TestLastBytesWait(t *testing.T) {
	for _, size := range []int{0, 1, lastBytes, lastBytes + 1, 2047, 2048, 2049, 4095, 4096, 4097, 1 << 20} {
		synctest.Test(t, func(t *testing.T) {
			h := handler(t)
			var got bytes.Buffer // of the client
			before := -1
			c := overPipes(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				x := &exchange{h: h, w: &watched{w, func() { synctest.Wait(); before = got.Len() }}, r: r}
				x.send(asText(http.StatusOK, strings.Repeat("a", size)))
			})).dial()
			go fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			if _, err := io.Copy(&got, c); err != nil || got.Len() <= size || before < 0 || before >= got.Len() {
				t.Errorf("%d bytes: the client has %d before they are flushed, %d in the end, %v", size, before, got.Len(), err)
			}
		})
	}
}

// A body that is refused is kept no longer, however slowly its client sends what is left of it.
func TestRefusedIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, e := holding(t, []Option{MaxRequests(1), MaxBody(1000)})
		e.let()
		p := overPipes(t, h)
		c := p.dial()
		fmt.Fprintf(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n%s", strings.Repeat(" ", 1500))
		synctest.Wait()
		if n := h.held.Load(); n != 0 {
			t.Errorf("%d bytes are held", n)
		}
		if w := send(h, "POST", "/rerank", teiBody); w.Code != 200 {
			t.Errorf("another: %d %s", w.Code, w.Body)
		}
		go fmt.Fprintf(c, "%s\r\n0\r\n\r\n", strings.Repeat(" ", 500))
		if r, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || r.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%v, %v", r, err)
		}
		c.Close()
		time.Sleep(time.Second) // net/http gives the client half of that to read
	})
}
