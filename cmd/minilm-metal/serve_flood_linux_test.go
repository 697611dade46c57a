package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/model/synth"
)

// How long TestServeFlood floods, and the model that it floods, for figures that mean something:
//
//	go test ./cmd/minilm-metal -run TestServeFlood -v -flood 5m -flood-model synthetic
var (
	floodTime  = flag.Duration("flood", time.Second, "how long TestServeFlood floods")
	floodModel = flag.String("flood-model", "", "the model of TestServeFlood (default: a tiny one)")
)

// flood is clients that send requests of 32 texts at a server.
type flood struct {
	t      *testing.T
	client *http.Client
	url    string
	bodies [][]byte

	mu       sync.Mutex
	answered []time.Duration
	refused  int
	all      int // answers, also those that were taken
}

// floodTexts is how many texts each request has.
const floodTexts = 32

// ask sends a request, and notes how long its answer took, or that it was refused.
func (f *flood) ask(i int) {
	began := time.Now()
	r, err := f.client.Post(f.url+"/rerank", "application/json", bytes.NewReader(f.bodies[i%len(f.bodies)]))
	if err != nil {
		f.t.Error(err)
		return
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	took := time.Since(began)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil:
		f.t.Error(err)
	case r.StatusCode == http.StatusOK:
		f.all++
		if f.answered = append(f.answered, took); strings.Count(string(text), `"index"`) != floodTexts {
			f.t.Errorf("%s", text)
		}
	case r.StatusCode == http.StatusTooManyRequests:
		f.refused++
		if n, err := strconv.Atoi(r.Header.Get("Retry-After")); err != nil || n < 1 || n > 30 || !strings.Contains(string(text), "--max-") {
			f.t.Errorf("Retry-After %q: %s", r.Header.Get("Retry-After"), text)
		}
	default:
		f.t.Errorf("%s: %s", r.Status, text)
	}
}

// took takes the latencies so far, sorted, and how many requests were refused.
func (f *flood) took() (answered []time.Duration, refused int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	answered, refused = f.answered, f.refused
	f.answered, f.refused = nil, 0
	slices.Sort(answered)
	return answered, refused
}

func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)-1)*p/100].Round(100 * time.Microsecond)
}

// closed has callers ask one request after another, for a while and at least three times. It
// returns how many were answered in a second.
func (f *flood) closed(callers int, d time.Duration) (perSecond float64) {
	var wg sync.WaitGroup
	began, before := time.Now(), f.all
	for caller := range callers {
		wg.Go(func() {
			for i := 0; i < 3 || time.Since(began) < d; i++ {
				f.ask(caller + i*callers)
			}
		})
	}
	wg.Wait()
	return float64(f.all-before) / time.Since(began).Seconds()
}

// open sends requests as a Poisson process, whether there are answers or not.
func (f *flood) open(perSecond float64, d time.Duration) (sent int) {
	var wg sync.WaitGroup
	r := rand.New(rand.NewPCG(1, 1))
	next, end := time.Now(), time.Now().Add(d)
	for next.Before(end) {
		time.Sleep(time.Until(next))
		i := sent
		wg.Go(func() { f.ask(i) })
		sent++
		next = next.Add(time.Duration(r.ExpFloat64() / perSecond * float64(time.Second)))
	}
	wg.Wait()
	return sent
}

// Three times as many requests as the server can answer: each is answered, or refused at once
// with the time after which to ask again; as many answers as before come in a second, and what is in
// use of memory does not grow. What the admitted wait is shown, and not judged: this machine may do other
// things.
func TestServeFlood(t *testing.T) {
	model := *floodModel
	if model == "" {
		model = tiny(t)
	}
	p := startProcess(t, model, `exec "$@"`, "--port", "0", "--max-queue", "16", "--log-level", "debug")
	f := &flood{t: t, url: p.url, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}}
	for i, pairs := range slices.Collect(slices.Chunk(synth.Pairs(1, 20*floodTexts), floodTexts)) {
		texts := make([]string, len(pairs))
		for k := range pairs {
			texts[k] = pairs[k].Passage
		}
		body, err := json.Marshal(map[string]any{"query": pairs[0].Query, "texts": texts})
		if err != nil {
			t.Fatal(i, err)
		}
		f.bodies = append(f.bodies, body)
	}
	f.closed(2, *floodTime/10)
	f.took()
	f.closed(1, *floodTime/5)
	alone, _ := f.took()
	capacity := f.closed(2, *floodTime/5)
	most, _ := f.took()
	var memory, live []int
	var sent, refused int
	var admitted []time.Duration
	begun := time.Now()
	for range 4 {
		sent += f.open(3*capacity, *floodTime/4)
		answered, not := f.took()
		admitted, refused = append(admitted, answered...), refused+not
		memory, live = append(memory, p.resident(t)>>20), append(live, p.live(t)>>20)
	}
	took := time.Since(begun).Seconds()
	slices.Sort(admitted)
	t.Logf("alone: %d requests of %d texts, p50 %v, p99 %v", len(alone), floodTexts, percentile(alone, 50), percentile(alone, 99))
	t.Logf("two callers: %.1f requests/s, p50 %v, p99 %v", capacity, percentile(most, 50), percentile(most, 99))
	t.Logf("flood of %.1f/s for %.0f s: %d sent, %d answered (%.1f/s), %d refused; p50 %v, p99 %v; MB after each quarter %v, in use %v",
		3*capacity, took, sent, len(admitted), float64(len(admitted))/took, refused, percentile(admitted, 50), percentile(admitted, 99), memory, live)
	if len(admitted)+refused != sent || len(admitted) == 0 || refused == 0 && *floodTime >= time.Minute {
		t.Errorf("of %d requests %d were answered and %d refused", sent, len(admitted), refused)
	}
	if live[3] > live[0]+16 || memory[3] > memory[0]+max(64, live[3]) {
		t.Errorf("memory has grown: %v MB, in use %v", memory, live)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.ended(); code != good {
		t.Errorf("code %d", code)
	}
	log := p.log.String()
	if n := strings.Count(log, "path=/rerank dialect=tei status=200"); n != f.all {
		t.Errorf("the server has answered %d requests, and clients have %d answers", n, f.all)
	}
	if n := strings.Count(log, "path=/rerank dialect=tei status=5"); n > 0 {
		t.Errorf("%d faults", n)
	}
}
