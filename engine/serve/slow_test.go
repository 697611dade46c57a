package serve

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
)

// pipes is a listener whose connections are in memory, so that time can be synctest's.
type pipes struct {
	come   chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipes() *pipes {
	p := &pipes{come: make(chan net.Conn), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.come:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// dial returns a client's end of a new connection.
func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.come <- server
	return client
}

// overPipes serves a handler, with the time-outs that the command has, until the test's end.
func overPipes(t *testing.T, h http.Handler) *pipes {
	p := newPipes()
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	ended := make(chan struct{})
	go func() { s.Serve(p); close(ended) }()
	t.Cleanup(func() { s.Close(); <-ended })
	return p
}

// trickle writes text, a byte a second, until it is written or the server has closed the
// connection.
func trickle(c net.Conn, text string) error {
	for _, b := range []byte(text) {
		if _, err := c.Write([]byte{b}); err != nil {
			return err
		}
		time.Sleep(time.Second)
	}
	return nil
}

// A client that sends a header's bytes one by one loses its connection when the time for the
// header is over, and has taken no place.
func TestSlowHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(t, MaxRequests(1))
		c := overPipes(t, h).dial()
		defer c.Close()
		go io.Copy(io.Discard, c) // the server may have something to say
		began := time.Now()
		err := trickle(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nX-Header: "+strings.Repeat("a", 100))
		if took := time.Since(began); err == nil || took < 10*time.Second || took > 11*time.Second { // a byte a second
			t.Errorf("%v after %v, want it closed after 10s", err, took)
		}
		if len(h.places) != 0 {
			t.Error("it has a place")
		}
	})
}

// slowBody sends a header, and then a body's bytes one by one. It returns the reply, and after how
// long that came.
func slowBody(t *testing.T, p *pipes, header, body string) (status int, text string, took time.Duration) {
	t.Helper()
	c, began := p.dial(), time.Now()
	fmt.Fprintf(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n%s\r\n", header)
	var sender sync.WaitGroup
	sender.Go(func() { trickle(c, body) })
	in := bufio.NewReader(c)
	r, err := http.ReadResponse(in, nil)
	if err == nil && r.StatusCode == http.StatusContinue {
		r, err = http.ReadResponse(in, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	reply, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	took = time.Since(began).Round(time.Second)
	if rest, err := io.ReadAll(in); len(rest) > 0 || err != nil {
		t.Errorf("after the reply: %q, %v", rest, err)
	}
	if over := time.Since(began); over > 31*time.Second {
		t.Errorf("the connection is closed after %v", over)
	}
	c.Close()
	sender.Wait()
	return r.StatusCode, string(reply), took
}

// A client that sends a body's bytes one by one is told so when the time for the body is over,
// and takes no other's place until then. One that is refused before its body was read does not keep the
// connection open for longer, either.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, e := holding(t, []Option{MaxRequests(1), BodyTimeout(30 * time.Second), Keys("key")})
		e.let()
		p := overPipes(t, h)
		for header, body := range map[string]string{
			"Content-Length: 1000\r\n":                         strings.Repeat(" ", 100),
			"Content-Length: 1000\r\nExpect: 100-continue\r\n": strings.Repeat(" ", 100),
			"Transfer-Encoding: chunked\r\n":                   "ff\r\n" + strings.Repeat(" ", 100),
		} {
			status, text, took := slowBody(t, p, header+"Authorization: key\r\n", body)
			if status != 408 || took != 30*time.Second || text != "the body did not come within 30s, the limit of --read-timeout" {
				t.Errorf("%q: %d %s after %v", header, status, text, took)
			}
			if len(h.places) != 0 || h.held.Load() != 0 {
				t.Errorf("%q: there are %d places and %d bytes of it left", header, len(h.places), h.held.Load())
			}
			if status, _, took := slowBody(t, p, header, body); status != 401 || took > 30*time.Second {
				t.Errorf("%q without a key: %d after %v", header, status, took)
			}
		}
		// Nobody else waits for one.
		slow := p.dial()
		defer slow.Close()
		fmt.Fprint(slow, "POST /rerank HTTP/1.1\r\nHost: a\r\nAuthorization: key\r\nContent-Length: 1000\r\n\r\n{")
		synctest.Wait()
		if h.held.Load() != 1 {
			t.Fatal("its body is not being read")
		}
		c := p.dial()
		fmt.Fprintf(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nAuthorization: key\r\nContent-Length: %d\r\n\r\n%s", len(teiBody), teiBody)
		if r, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || r.StatusCode != 200 {
			t.Errorf("%v, %v", r, err)
		}
		c.Close()
	})
}

// A body of HTTP/2 may be of length 0 by its header, and never end: it has its time like any other. A request
// that has none needs no time.
func TestSlowEndOfNoBody(t *testing.T) {
	h, _ := open(t, scoring, BodyTimeout(time.Hour))
	for _, body := range []io.ReadCloser{http.NoBody, io.NopCloser(strings.NewReader(""))} {
		r := httptest.NewRequest("POST", "/rerank", nil)
		r.Body = body
		w := &hurried{ResponseRecorder: httptest.NewRecorder()}
		if h.ServeHTTP(w, r); w.Code != 400 || w.is != (body != http.NoBody) {
			t.Errorf("%v: %d, with a time for its body %v", body, w.Code, w.is)
		}
	}
}

// hurried is a writer whose body must come in time.
type hurried struct {
	*httptest.ResponseRecorder
	is bool
}

func (h *hurried) SetReadDeadline(time.Time) error { h.is = true; return nil }

// The time for a body ends with the body: an answer may take longer than that, and so may the
// next request on the connection be long in coming.
func TestLongAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, e := holding(t, []Option{BodyTimeout(30 * time.Second), ReplyTimeout(30 * time.Second)})
		p := overPipes(t, h)
		c := p.dial()
		in := bufio.NewReader(c)
		ask := func() *http.Response {
			t.Helper()
			fmt.Fprintf(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(teiBody), teiBody)
			r, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, r.Body)
			return r
		}
		if r := ask(); r.StatusCode != 200 { // the engine holds after this one
			t.Error(r.Status)
		}
		time.Sleep(time.Minute)
		go func() {
			time.Sleep(time.Hour)
			e.let()
		}()
		began := time.Now()
		if r := ask(); r.StatusCode != 200 || time.Since(began) < time.Hour {
			t.Errorf("%s after %v", r.Status, time.Since(began))
		}
		time.Sleep(time.Minute) // the last reply's time is over
		fmt.Fprintf(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(teiBody))
		if r, err := http.ReadResponse(in, nil); err != nil || r.StatusCode != http.StatusContinue {
			t.Fatal(r, err)
		}
		fmt.Fprint(c, teiBody)
		if r, err := http.ReadResponse(in, nil); err != nil || r.StatusCode != 200 {
			t.Error(r, err)
		}
		c.Close()
	})
}

// A client that does not read its reply loses its connection after the time for it. Until then, what it
// has not read is memory, and its place is another's.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, e := holding(t, []Option{ReplyTimeout(20 * time.Second), MaxRequests(1)}, engine.MaxLength(16))
		e.let()
		p := overPipes(t, h)
		c := p.dial()
		body := `{"query": "a", "texts": ["` + strings.Repeat("b", 8*lastBytes) + `"], "return_text": true}`
		fmt.Fprintf(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		began := time.Now()
		synctest.Wait() // the reply is there, and a pipe has no room for it
		if len(h.places) != 0 || h.held.Load() <= int64(len(body)) {
			t.Errorf("it has %d places and %d bytes", len(h.places), h.held.Load())
		}
		if w := send(h, "POST", "/rerank", teiBody); w.Code != 200 {
			t.Errorf("another: %d %s", w.Code, w.Body)
		}
		time.Sleep(21 * time.Second)
		synctest.Wait()
		if h.held.Load() != 0 {
			t.Errorf("%d bytes are held after %v", h.held.Load(), time.Since(began))
		}
		if text, err := io.ReadAll(c); len(text) > 0 {
			t.Errorf("%q, %v", text, err)
		}
	})
}
