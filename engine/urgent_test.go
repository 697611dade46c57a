package engine

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// breaking is a processor on which urgent passes go wrong, in turns: they cannot begin,
// the pass panics, it fails, it is good.
type breaking struct {
	model.Device
	mu    sync.Mutex
	turns int
	wrong [4]int
}

type brokenPass struct {
	model.Pass
	panics bool
}

func (d *breaking) BeginUrgent(b *model.Batch) (model.Pass, error) {
	d.mu.Lock()
	turn := d.turns % 4
	d.turns++
	d.wrong[turn]++
	d.mu.Unlock()
	if turn == 0 {
		return nil, model.ErrBusy
	}
	p, err := d.Device.(model.Interrupter).BeginUrgent(b)
	if err != nil || turn == 3 {
		return p, err
	}
	return &brokenPass{p, turn == 1}, nil
}

func (p *brokenPass) FeedForward(int) {
	if p.panics {
		panic("broken")
	}
}

func (p *brokenPass) Pool([]model.Reduce, []float32) error { return errors.New("broken") }

// What goes wrong with an urgent pass is its calls' alone: those that it went before have
// their scores, bit by bit, and the next urgent one is good.
func TestUrgentPassesThatBreak(t *testing.T) {
	for _, workers := range []int{1, 3, 8} {
		for _, procs := range []int{1, runtime.GOMAXPROCS(0)} {
			func() {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				shape := synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 128, Vocab: 30522, Positions: 512, Types: 2, Labels: 1}
				e := openShape(t, 1, shape, Device("cpu"), Precision("f32"), Workers(workers))
				d := &breaking{Device: e.device}
				e.device = d
				e.prepare()
				long := tokens()
				for i := range 100 {
					long.Append(slices.Repeat([]int32{200 + int32(i)}, 100), make([]int32, 100))
				}
				want, err := e.ScoreTokens(t.Context(), nil, long)
				if err != nil {
					t.Fatal(err)
				}
				alone, err := e.ScoreTokens(t.Context(), nil, tokens(300))
				if err != nil {
					t.Fatal(err)
				}
				stop := make(chan struct{})
				var wg, bulk sync.WaitGroup
				for range workers {
					bulk.Go(func() { // for a while; nothing hangs on how much that is
						for begun := time.Now(); time.Since(begun) < 60*time.Millisecond; {
							if got, err := e.ScoreTokens(t.Context(), nil, long); err != nil || !slices.Equal(got, want) {
								t.Errorf("the bulk has other scores, %v", err)
							}
						}
					})
				}
				for range 3 {
					wg.Go(func() {
						for {
							select {
							case <-stop:
								return
							default:
							}
							got, err := e.ScoreTokens(t.Context(), nil, tokens(300))
							if err == nil && !slices.Equal(got, alone) {
								t.Errorf("got %g, want %g", got, alone)
							}
						}
					})
				}
				bulk.Wait()
				close(stop)
				wg.Wait()
				if s := e.Stats(); s.WaitingPairs != 0 || s.WaitingCalls != 0 {
					t.Errorf("%+v", s)
				}
				if got, err := e.ScoreTokens(t.Context(), nil, tokens(300)); err != nil || !slices.Equal(got, alone) {
					t.Errorf("afterwards: %g, %v", got, err)
				}
				t.Logf("%d workers on %d: %d urgent passes each way", workers, procs, d.wrong)
			}()
		}
	}
}

// Whether a call is small is a question of its own pairs: others that are shorter do not
// make it so.
func TestSmallCalls(t *testing.T) {
	text := func(n, bytes int) *call {
		return &call{count: n, pairs: slices.Repeat([]Pair{{Query: "q", Passage: strings.Repeat("a", bytes)}}, n)}
	}
	batch := func(n, length int) *call {
		b := tokens()
		for range n {
			b.Append(make([]int32, length), make([]int32, length))
		}
		return &call{count: n, tokens: b}
	}
	for name, test := range map[string]struct {
		call *call
		want bool
	}{
		"one pair, whatever its length":    {text(1, 1e6), true},
		"one pair of tokens":               {batch(1, 512), true},
		"a few short texts":                {text(30, 30), true},
		"as many of a paragraph":           {text(30, 400), false},
		"two that are cut to the longest":  {text(2, 1e6), false},
		"tokens of one pass":               {batch(128, 3), true},
		"tokens of more":                   {batch(129, 3), false},
		"many pairs without text":          {text(1000, 0), false},
		"none":                             {text(0, 0), true},
		"a stream, which has no end known": {&call{count: 1, stream: &stream{}}, false},
	} {
		if got := test.call.fits(384, 512); got != test.want {
			t.Errorf("%s: small is %t, want %t", name, got, test.want)
		}
	}

	// Bulk after many calls of one token each runs beside them, never as urgent.
	var bulk atomic.Int64
	shape := synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 128, Vocab: 30522, Positions: 512, Types: 2, Labels: 1}
	e := openShape(t, 1, shape, Device("cpu"), Precision("f32"), Workers(1), Observe(func(s PassStats) {
		if s.Urgent && s.Tokens > s.Pairs {
			bulk.Add(1)
		}
	}))
	for range 500 {
		if _, err := e.ScoreTokens(t.Context(), nil, tokens(300)); err != nil {
			t.Fatal(err)
		}
	}
	long := batch(100, 100).tokens
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := e.ScoreTokens(t.Context(), nil, long); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := bulk.Load(); n > 0 {
		t.Errorf("%d urgent passes had pairs of bulk", n)
	}
}

// Kernels are timed while urgent passes go before others.
func TestTimingsBesideUrgentPasses(t *testing.T) {
	shape := synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 128, Vocab: 30522, Positions: 512, Types: 2, Labels: 1}
	e := openShape(t, 1, shape, Device("cpu"), Precision("f32"), Workers(3))
	long := tokens()
	for i := range 200 {
		long.Append(slices.Repeat([]int32{200 + int32(i)}, 100), make([]int32, 100))
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, b := range []*model.Batch{long, long, tokens(300), tokens(301)} {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := e.ScoreTokens(t.Context(), nil, b); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 20 {
		end, _ := e.TimeKernels()
		time.Sleep(time.Millisecond)
		for _, k := range end() {
			if k.Time < 0 {
				t.Errorf("%+v", k)
			}
		}
	}
	close(stop)
	wg.Wait()
}
