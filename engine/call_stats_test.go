package engine

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// slowHeld is a device that takes its time to lay a pass out.
type slowHeld struct {
	*held
	pack time.Duration
}

func (d slowHeld) Begin(b *model.Batch) (model.Pass, error) {
	time.Sleep(d.pack)
	return d.held.Begin(b)
}

// What a call's stats tell makes up its latency, to the nanosecond: the wait for another's
// pass, the layout, and the pass.
func TestCallStatsAreTheLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1)
		e.device = slowHeld{d, 2 * time.Second}
		first := start(t.Context(), e, 200)
		busy := <-d.begun
		answer := make(chan CallStats, 1)
		latency := make(chan time.Duration, 1)
		go func() {
			sent := time.Now()
			var stats CallStats
			_, err := e.Score(t.Context(), nil, []Pair{{"a", "b"}, {"c", "d"}}, StatsTo(&stats))
			latency <- time.Since(sent)
			if err != nil {
				t.Error(err)
			}
			answer <- stats
		}()
		time.Sleep(5 * time.Second)
		busy.goOn()
		(<-first).check(t, 200)
		p := <-d.begun
		time.Sleep(3 * time.Second)
		p.goOn()
		took, s := <-latency, <-answer
		if took != 10*time.Second || s.Queue != 5*time.Second || s.Infer != 5*time.Second || s.Pack != 2*time.Second {
			t.Errorf("%v: %+v", took, s)
		}
		if sum := s.Admit + s.Queue + s.Tokenize - s.Overlapped + s.Infer + s.Deliver; sum != took {
			t.Errorf("the stages are %v of %v: %+v", sum, took, s)
		}
	})
}

// Two runners that make tokens of one call side by side take it no time twice, whichever of
// them is ready first.
func TestTokenizingSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := openHeld(t, 2)
		a, b := e.idleRunners[0], e.idleRunners[1]
		a.number, b.number = 1, 2
		c := e.idleCalls.Get().(*call)
		c.work, c.weight, c.tokens, c.count = t.Context(), 1, tokens(200, 201), 2
		take := func(r *runner) {
			e.mu.Lock()
			defer e.mu.Unlock()
			if c.next == 0 {
				e.queue.put(c, c.count)
			}
			r.add(c)
		}
		take(a)
		time.Sleep(time.Second)
		take(b)
		time.Sleep(2 * time.Second)
		b.begin() // though a was first
		time.Sleep(4 * time.Second)
		a.begin()
		if s := c.stats; s.Tokenize != 9*time.Second || s.Tokenize-s.Overlapped != c.computing.Sub(c.taken) || s.Overlapped != 6*time.Second {
			t.Errorf("tokenization %v, overlapped %v", s.Tokenize, s.Overlapped)
		}
	})
}

// What real calls tell is within their latency, and what it leaves out is next to nothing.
func TestStagesOfRealCalls(t *testing.T) {
	e := openFaulty(t, Workers(2))
	pairs := slices.Repeat([]Pair{{"what is a cell", "a cell is the smallest part of what lives, and of it"}}, 300)
	var rest []float64
	for range 21 {
		sent := time.Now()
		var s CallStats
		_, err := e.Score(t.Context(), nil, pairs, StatsTo(&s))
		took := time.Since(sent)
		if err != nil {
			t.Fatal(err)
		}
		sum := s.Admit + s.Queue + s.Tokenize - s.Overlapped + s.Infer + s.Deliver
		if sum > took || s.Pack < 0 || s.Pack > s.Infer || s.Overlapped > s.Tokenize || s.Deliver < 0 || s.Admit < 0 {
			t.Errorf("the stages are %v of %v: %+v", sum, took, s)
		}
		rest = append(rest, float64(took-sum)/float64(took))
	}
	// The median: of what a busy machine does between the call's end and its caller's clock
	// nothing is known.
	slices.Sort(rest)
	if median := rest[len(rest)/2]; median > 0.03 {
		t.Errorf("%.1f %% of a call are in no stage", 100*median)
	}
}

// Whoever has scores finds their pairs counted, though the observer of the pass has not heard of it.
func TestPairsAreCountedWhenTheirCallReturns(t *testing.T) {
	heard := make(chan struct{})
	e, d := openHeld(t, 1, Observe(func(PassStats) { <-heard }))
	defer d.run()()
	for calls := range int64(2) {
		r := <-start(t.Context(), e, 200, 201)
		r.check(t, 200, 201)
		if s := e.Stats(); s.Pairs != 2*(calls+1) || s.Tokens != 2*(calls+1) {
			t.Errorf("%d pairs and %d tokens after %d calls of two of one each", s.Pairs, s.Tokens, calls+1)
		}
		heard <- struct{}{}
	}
}
