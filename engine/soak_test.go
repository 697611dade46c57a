package engine_test

import (
	"context"
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

var soak = flag.Duration("soak", time.Second, "how long TestSoak runs")

// Many callers of all kinds, who lose patience: every score has the bits that it has
// alone, and when they have gone there is nothing left of them.
func TestSoak(t *testing.T) {
	var goroutines int
	func() {
		// Heads of 32 are what assembly has.
		fsys, err := synth.FS(1, synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 128, Vocab: 30522, Positions: 512, Types: 2, Labels: 1})
		if err != nil {
			t.Fatal(err)
		}
		e, err := engine.OpenFS(fsys, engine.Device("cpu"), engine.NoCalibrationFile(), engine.MaxQueue(2000), engine.MaxWait(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		goroutines = runtime.NumGoroutine()
		s := newSoaked(t, e)
		// One call at least has its score, and one does not, however slow the machine is.
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for _, ctx := range []context.Context{t.Context(), over} {
			got, err := e.Score(ctx, nil, s.pairs[:1])
			s.returned(0, 1, got, err)
		}
		begun := time.Now()
		stop, cancel := context.WithTimeout(t.Context(), *soak)
		defer cancel()
		var wg sync.WaitGroup
		for caller := range uint64(64) {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(caller, 1))
				for s.call(r); stop.Err() == nil; {
					s.call(r)
				}
			})
		}
		wg.Go(func() { s.watchMemory(stop, begun) })
		wg.Wait()
		stats := e.Stats()
		t.Logf("%d scores, %d calls given up, %d shared passes of %d, %d urgent; the longest wait %v", s.scores.Load(), s.givenUp.Load(), stats.Shared, stats.Passes, stats.Urgent, stats.LongestQueue)
		if s.scores.Load() == 0 || s.givenUp.Load() == 0 {
			t.Errorf("only %d scores, and %d calls given up", s.scores.Load(), s.givenUp.Load())
		}
		if stats.WaitingCalls != 0 || stats.WaitingPairs != 0 || stats.Failed < s.givenUp.Load() {
			t.Errorf("%+v", stats)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	for runtime.NumGoroutine() > goroutines { // for ever, if one is left: then go test shows it
		time.Sleep(10 * time.Millisecond)
	}
}

// soaked is pairs whose scores are known.
type soaked struct {
	*testing.T
	e               *engine.Engine
	pairs           []engine.Pair
	tokens          []engine.Tokens
	want            []float32
	scores, givenUp atomic.Int64
}

func newSoaked(t *testing.T, e *engine.Engine) *soaked {
	s := &soaked{T: t, e: e}
	r := rand.New(rand.NewPCG(7, 7))
	text, more := pairs(300), pairs(300)
	for i := range text {
		for range r.IntN(3) * r.IntN(4) { // up to the most tokens, and beyond
			text[i].Passage += " " + more[r.IntN(len(more))].Passage
		}
		if i < 20 {
			text[i] = engine.Pair{Query: text[i].Query[:i]} // and down to the fewest
		}
	}
	s.pairs = text
	for _, p := range text {
		s.want = append(s.want, score(t, e, []engine.Pair{p})...)
		var b model.Batch
		if err := e.Tokenize(&b, []engine.Pair{p}); err != nil {
			t.Fatal(err)
		}
		s.tokens = append(s.tokens, engine.Tokens{IDs: b.IDs, Types: b.Types})
	}
	return s
}

// call makes a call of some kind.
func (s *soaked) call(r *rand.Rand) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	switch r.IntN(4) {
	case 0:
		ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(20))*time.Millisecond)
		defer cancel()
	case 1:
		after := time.Duration(r.IntN(5000)) * time.Microsecond
		go func() {
			time.Sleep(after)
			cancel()
		}()
	}
	if r.IntN(8) == 0 {
		ctx = engine.Background(ctx)
	}
	n := 1 + r.IntN(4)*r.IntN(20)
	lo := r.IntN(len(s.pairs) - n)
	var got []float32
	var err error
	switch r.IntN(4) {
	case 0:
		var b model.Batch
		for _, one := range s.tokens[lo : lo+n] {
			b.Append(one.IDs, one.Types)
		}
		got, err = s.e.ScoreTokens(ctx, nil, &b)
	case 1:
		for score, e := range s.e.Stream(ctx, func(yield func(engine.Pair) bool) {
			for _, p := range s.pairs[lo : lo+n] {
				if r := time.Duration(n) * time.Microsecond; !yield(p) {
					return
				} else if n%5 == 0 {
					time.Sleep(r)
				}
			}
		}) {
			if e != nil {
				err = e
				break
			}
			got = append(got, score)
		}
	default:
		got, err = s.e.Score(ctx, nil, s.pairs[lo:lo+n])
	}
	s.returned(lo, n, got, err)
}

// returned looks at what a call for n pairs from one on has returned.
func (s *soaked) returned(lo, n int, got []float32, err error) {
	if err != nil {
		if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, engine.ErrOverloaded) {
			s.Errorf("%d pairs: %v", n, err)
		}
		s.givenUp.Add(1)
		return
	}
	if len(got) != n {
		s.Errorf("%d scores of %d pairs", len(got), n)
	}
	for i, score := range got {
		if math.Float32bits(score) != math.Float32bits(s.want[lo+i]) {
			s.Errorf("pair %d has %g, alone %g", lo+i, score, s.want[lo+i])
		}
	}
	s.scores.Add(int64(n))
}

// watchMemory looks whether the memory that is in use after each collection stays what it
// was after the first minute. In a short run there is no such time.
func (s *soaked) watchMemory(stop context.Context, begun time.Time) {
	var first, last float64
	for every := time.Tick(10 * time.Second); ; {
		select {
		case <-stop.Done():
			s.Logf("memory in use: %.1f MB after a minute, %.1f at the end", first/1e6, last/1e6)
			// The least of what is seen: callers have some of their own at any time.
			if first > 0 && last > first*1.02+1e6 {
				s.Errorf("memory grew from %.0f to %.0f bytes", first, last)
			}
			return
		case <-every:
		}
		least := math.Inf(1)
		for range 5 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			least = min(least, float64(m.HeapInuse+m.StackInuse))
		}
		if last = least; first == 0 && time.Since(begun) > time.Minute {
			first = least
		}
	}
}
