package bench

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// Live is a look at a measurement while it goes on. It is for eyes: figures are of the last
// moments and are in no recording.
type Live struct {
	Batches        int     // that have ended since the measurement began
	PairsPerSecond float64 // over the last seconds
	Of             string  // what PairsPerSecond counts: "pairs" or "texts"

	// Of the last batches. The stages are averages.
	P50, P95                            time.Duration
	Late, Queue, Tokenize, Infer, Other time.Duration

	CPU *float64 // percent of all cores together; nil: not known
	RSS *float64 // MB
	// Left is the time until the measurement ends, by its time bound or by its pace; 0: not
	// known.
	Left time.Duration
}

const (
	// liveEvery is how often a look is taken: eyes need no more, and a look sorts the batches.
	liveEvery = 500 * time.Millisecond
	// liveBatches is how many batches the percentiles are of, at most.
	liveBatches = 500
	// liveSpan is the time that the rate is of.
	liveSpan = 3 * time.Second
)

// liveView takes looks at a measurement. A nil one takes none.
type liveView struct {
	hear  func(*Live)
	of    string // as in Live
	meter func() reading
	end   time.Time // of the time bound; zero: none
	total int       // pairs; 0: not known

	mu      sync.Mutex
	last    []seen // the last batches, as a ring
	next    int    // where the next one goes
	batches int
	pairs   int

	begun  time.Time
	before reading
	at     time.Time // of before
	quit   chan struct{}
	wg     sync.WaitGroup
}

// seen is a batch and when it ended.
type seen struct {
	recording.BatchSample
	at time.Time
}

// startLive begins to take looks, if somebody wants to hear of them. end is when the time
// bound is over, total how many pairs there are; zero is not known.
func (s *session) startLive(meter func() reading, end time.Time, total int) *liveView {
	if s.Live == nil {
		return nil
	}
	v := &liveView{hear: s.Live, of: s.noun(), meter: meter, end: end, total: total, begun: time.Now(), quit: make(chan struct{})}
	v.before, v.at = meter(), v.begun
	v.wg.Go(func() {
		tick := time.NewTicker(liveEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				v.hear(v.look(time.Now()))
			case <-v.quit:
				return
			}
		}
	})
	return v
}

// add tells of a batch that has ended.
func (v *liveView) add(b recording.BatchSample) {
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.batches++
	v.pairs += b.Pairs
	if len(v.last) < liveBatches {
		v.last = append(v.last, seen{})
	}
	v.last[v.next] = seen{b, time.Now()}
	v.next = (v.next + 1) % liveBatches
}

// stop takes no more looks, and says so.
func (v *liveView) stop() {
	if v == nil {
		return
	}
	close(v.quit)
	v.wg.Wait()
	v.hear(nil)
}

// look takes one.
func (v *liveView) look(now time.Time) *Live {
	reading := v.meter()
	l := &Live{Of: v.of, RSS: reading.rss, CPU: busyPercent(v.before.cpu, reading.cpu, now.Sub(v.at)*time.Duration(runtime.NumCPU()))}
	v.before, v.at = reading, now

	v.mu.Lock()
	defer v.mu.Unlock()
	l.Batches = v.batches
	var latency []float64
	span := min(liveSpan, now.Sub(v.begun))
	pairs := 0
	for _, b := range v.last {
		latency = append(latency, float64(b.Latency))
		l.Late += b.Late
		l.Queue += b.Queue - b.Late
		l.Tokenize += b.Tokenize - b.Overlapped
		l.Infer += b.Infer
		l.Other += b.Latency - (b.Queue + b.Tokenize - b.Overlapped + b.Infer)
		if now.Sub(b.at) <= span {
			pairs += b.Pairs
		}
	}
	if n := time.Duration(len(v.last)); n > 0 {
		slices.Sort(latency)
		l.P50, l.P95 = time.Duration(stats.Percentile(latency, 50)), time.Duration(stats.Percentile(latency, 95))
		l.Late, l.Queue, l.Tokenize, l.Infer, l.Other = l.Late/n, l.Queue/n, l.Tokenize/n, l.Infer/n, l.Other/n
	}
	if span > 0 {
		l.PairsPerSecond = float64(pairs) / span.Seconds()
	}
	if !v.end.IsZero() {
		l.Left = max(0, v.end.Sub(now))
	}
	if spent := now.Sub(v.begun); v.total > 0 && v.pairs > 0 {
		left := time.Duration(float64(spent) / float64(v.pairs) * float64(max(0, v.total-v.pairs)))
		if v.end.IsZero() || left < l.Left {
			l.Left = left
		}
	}
	return l
}
