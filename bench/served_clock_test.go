package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/load"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/remote"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// pipes is a network of one server, in memory: HTTP as it is, on the clock of a test's bubble.
type pipes struct {
	made   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.made <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.made:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// overPipes returns a client of a server in the bubble that answers with h. Both end with
// the test of the bubble.
func overPipes(t *testing.T, h http.Handler) *remote.Client {
	t.Helper()
	p := &pipes{made: make(chan net.Conn), closed: make(chan struct{})}
	far := &http.Server{Handler: h}
	go far.Serve(p)
	client, err := remote.New(remote.Options{URL: "http://far", Timeout: 5 * time.Second, Connections: 1 << 10, Dial: p.dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		far.Close()
		time.Sleep(time.Minute) // of this clock: whoever computes comes to an end
	})
	return client
}

// slowly is a server that computes one request at a time, each for a while. It computes
// nothing from the first to the second of stall.
type slowly struct {
	next  http.Handler
	each  time.Duration
	turn  chan struct{}
	stall [2]time.Time
}

func newSlowly(next http.Handler, each time.Duration) *slowly {
	return &slowly{next: next, each: each, turn: make(chan struct{}, 1)}
}

func (s *slowly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body) // until then a client that is gone is not noticed
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		select {
		case s.turn <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		if now := time.Now(); !now.Before(s.stall[0]) && now.Before(s.stall[1]) {
			time.Sleep(time.Until(s.stall[1]))
		}
		time.Sleep(s.each)
		<-s.turn
	}
	s.next.ServeHTTP(w, r)
}

// Each request to a server that was due in its stall of a second has waited for the rest of
// it, at least: with callers without number, and with one, who is in the stall himself.
func TestServerStall(t *testing.T) {
	for _, callers := range []int{1, 0} {
		synctest.Test(t, func(t *testing.T) {
			far := newSlowly(&reranker{score: exact}, time.Millisecond)
			client := overPipes(t, far)
			if err := client.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			far.stall = [2]time.Time{begun.Add(4 * time.Second), begun.Add(5 * time.Second)}
			c := crowd{loop: loop{engine: &served{scorer: newFake(nil), client: client}, work: numbered(100), batch: 1, pairs: math.MaxInt / 2},
				due: newArrivals(1, 1, 100).until(10*time.Second, math.MaxInt), most: callers, waits: true}
			o, err := c.run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			within, others := 0, time.Duration(0)
			for _, s := range o.samples() {
				if left := 5*time.Second - s.Start; s.Start >= 4*time.Second && left > 0 {
					within++
					if s.Latency < left {
						t.Errorf("due at %v, latency %v: the stall lasted for %v more", s.Start, s.Latency, left)
					}
				} else if s.Start < 4*time.Second {
					others = max(others, s.Latency)
				}
			}
			if within < 70 || len(o.samples()) != o.offered || others > 100*time.Millisecond || (o.waited > 0) != (callers > 0) {
				t.Errorf("%d callers: %d requests in the stall, %d of %d answered, %d waited; before it none took longer than %v", callers, within, len(o.samples()), o.offered, o.waited, others)
			}
		})
	}
}

// loadServer measures the load of a server that computes 100 requests/s, one at a time.
func loadServer(t *testing.T, far *reranker, bound time.Duration, o LoadOptions, progress func(string)) *recording.Recording {
	t.Helper()
	opts := Options{Pairs: 400, TimeBound: bound, Load: &o, Server: overPipes(t, newSlowly(far, 10*time.Millisecond)),
		Model: Checkpoint{ID: "some/model", Files: fstest.MapFS{"model.safetensors": {Data: []byte("weights")}, "vocab.txt": {Data: []byte("words")}}}}
	opts.Progress = func(stage string, _, _ int) { progress(stage) }
	rec, err := run(t.Context(), opts, opts.served(t.Context(), func(string, string) (scorer, error) { return newFake(nil), nil }))
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.Validate(); err != nil {
		t.Fatal(err)
	}
	return rec
}

// The knee of a server is that of the same queue in this process (see TestMeasureKnee), but for
// what the shorter time leaves unsure: HTTP adds nothing on this clock.
func TestServerKnee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := loadServer(t, &reranker{score: exact}, 500*time.Second, LoadOptions{SLO: 100 * time.Millisecond}, func(string) {})
		r := report.Derive(rec)
		k := r.Load.Knee
		if math.Abs(rec.Load.Capacity-100) > 1 || k == nil || k.AtLeast || k.Rate < 65 || k.Rate > 92 || math.Abs(k.Good/k.Rate-0.97) > 0.04 {
			t.Errorf("capacity %v, knee %+v", rec.Load.Capacity, k)
		}
	})
}

// A ramp goes beyond what a server can do, and what fails is a miss of its kind at every
// load, and in no latency.
func TestServerRamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var points atomic.Bool
		far := &reranker{score: exact}
		far.fault = func(n int64, w http.ResponseWriter) bool {
			if !points.Load() || n%10 != 7 {
				return false
			}
			http.Error(w, fmt.Sprintf(`{"error":"%d"}`, n), http.StatusTooManyRequests)
			return true
		}
		rec := loadServer(t, far, 100*time.Second, LoadOptions{Ramp: true, Batch: 2}, func(stage string) {
			if strings.HasSuffix(stage, "(ramp)") {
				points.Store(true)
			}
		})
		r := report.Derive(rec)
		if len(rec.Load.Points) != len(load.Ramp) || r.Load.Misses["status 429"] == 0 || r.Load.Misses["unfinished"] == 0 || len(r.Load.Misses) != 2 {
			t.Fatalf("%d points, misses %v", len(rec.Load.Points), r.Load.Misses)
		}
		for i, p := range r.Load.Points {
			if share := load.Ramp[i]; math.Abs(p.Rate-rec.Load.Capacity*share) > 1e-6 || p.Holds || share > 1.1 && !p.Saturated {
				t.Errorf("at %v of the capacity: %+v", share, p)
			}
			if share := float64(p.Missed) / float64(p.Requests); p.Rate < rec.Load.Capacity && math.Abs(share-0.1) > 0.03 {
				t.Errorf("%.1f pairs/s: %.3f of the requests missed", p.Rate, share)
			}
		}
	})
}
