package bench

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// fake is an engine that takes a given time. In a bubble of testing/synctest
// that time is exact and costs nothing.
type fake struct {
	info    engine.Info
	service func(pairs []engine.Pair) time.Duration // nil: none
	fail    func(pairs []engine.Pair) error         // nil: never
	shift   float32                                 // added to each score
	scatter float32                                 // added to every other score, taken from the rest
	stages  engine.CallStats                        // what Queue, Tokenize and Overlapped of each call are; the service is the rest

	mu             sync.Mutex
	underway, most int
	scored         map[string]int // by query
	closed         bool
}

func newFake(service func(pairs []engine.Pair) time.Duration) *fake {
	return &fake{
		info:    engine.Info{Device: "cpu", Precision: "f32", Workers: 2, Config: model.Config{Layers: 6, HiddenSize: 384}},
		service: service,
		scored:  map[string]int{},
	}
}

func (f *fake) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, _ ...engine.CallOption) ([]float32, engine.CallStats, error) {
	f.mu.Lock()
	f.underway++
	f.most = max(f.most, f.underway)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.underway--
		f.mu.Unlock()
	}()
	if f.fail != nil {
		if err := f.fail(pairs); err != nil {
			return dst, engine.CallStats{}, err
		}
	}
	var service time.Duration
	if f.service != nil {
		service = f.service(pairs)
	}
	timer := time.NewTimer(service)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return dst, engine.CallStats{}, context.Cause(ctx)
	}
	f.mu.Lock()
	for _, p := range pairs {
		f.scored[p.Query]++
	}
	f.mu.Unlock()
	for i, p := range pairs {
		dst = append(dst, fakeScore(p)+f.shift+f.scatter*float32(1-2*(i%2)))
	}
	var b model.Batch
	f.Tokenize(&b, pairs)
	stats := f.stages
	stats.Infer = service - stats.Queue - stats.Tokenize + stats.Overlapped
	stats.Tokens, stats.FLOPs = b.Tokens(), int64(len(pairs))*1000
	return dst, stats, nil
}

// fakeScore is the same for a pair from every fake.
func fakeScore(p engine.Pair) float32 {
	h := fnv.New32a()
	h.Write([]byte(p.Query + "\n" + p.Passage))
	return float32(h.Sum32()%1000) / 100
}

// Tokenize makes a token of each word, and three special ones.
func (f *fake) Tokenize(b *model.Batch, pairs []engine.Pair, _ ...engine.CallOption) error {
	for _, p := range pairs {
		n := len(strings.Fields(p.Query)) + len(strings.Fields(p.Passage)) + 3
		b.Append(make([]int32, n), make([]int32, n))
	}
	return nil
}

func (f *fake) Info() engine.Info { return f.info }

func (f *fake) Close() error { f.closed = true; return nil }

// numbered is a workload of n pairs whose queries are their numbers.
func numbered(n int) *workload {
	w := &workload{name: "numbered"}
	for i := range n {
		w.pairs = append(w.pairs, engine.Pair{Query: strconv.Itoa(i), Passage: strings.Repeat("word ", 1+i*7%50)})
	}
	if err := w.measureLengths(newFake(nil)); err != nil {
		panic(err) // a fake has no error
	}
	return w
}

// first returns the number of the first of pairs.
func first(pairs []engine.Pair) int {
	n, err := strconv.Atoi(pairs[0].Query)
	if err != nil {
		panic(err)
	}
	return n
}

// randomService gives each pair, by its number, a service time of its own.
func randomService(random *rand.Rand, n int) func(pairs []engine.Pair) time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = time.Duration(1+random.IntN(1000)) * time.Millisecond
	}
	return func(pairs []engine.Pair) time.Duration { return times[first(pairs)] }
}

func TestClosedLoop(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for trial := range 60 {
		size, batch, callers := 1+random.IntN(100), 1+random.IntN(12), 1+random.IntN(9)
		pairs := 1 + random.IntN(3*size)
		t.Run(fmt.Sprintf("%d-of-%d-by-%d-callers-%d", pairs, size, batch, callers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(randomService(rand.New(rand.NewPCG(3, uint64(trial))), size))
				told := 0
				l := loop{engine: f, work: numbered(size), batch: batch, callers: callers, pairs: pairs,
					done: func(s recording.BatchSample) { told += s.Pairs }}
				begun := time.Now()
				samples, err := l.run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got, want := elapsed(samples), time.Since(begun); got != want {
					t.Errorf("elapsed %v, want %v", got, want)
				}
				checkSamples(t, samples, l)
				if told != pairs {
					t.Errorf("done heard of %d pairs, want %d", told, pairs)
				}
				for i := range size {
					// Pair i comes up at i, i+size, i+2·size...
					want := 0
					for at := i; at < pairs; at += size {
						want++
					}
					if got := f.scored[strconv.Itoa(i)]; got != want {
						t.Errorf("pair %d scored %d times, want %d", i, got, want)
					}
				}
				// Every caller is busy all the time while there is work.
				if want := min(callers, (pairs+batch-1)/batch); f.most != want {
					t.Errorf("at most %d calls under way, want %d", f.most, want)
				}
				for _, s := range samples {
					if s.Latency != s.Infer || s.Queue != 0 {
						t.Errorf("sample %+v: a closed loop starts its clock with the call", s)
					}
				}
			})
		})
	}
}

// checkSamples checks what holds for samples of any load that was not stopped.
func checkSamples(t *testing.T, samples []recording.BatchSample, l loop) {
	t.Helper()
	if want := (l.pairs + l.batch - 1) / l.batch; len(samples) != want {
		t.Fatalf("%d samples, want %d", len(samples), want)
	}
	pairs, tokens, want := 0, 0, 0
	for i, s := range samples {
		if i > 0 && s.Start+s.Latency < samples[i-1].Start+samples[i-1].Latency {
			t.Errorf("sample %d ended before the one before it", i)
		}
		if s.Start < 0 || s.Latency <= 0 || s.Padded < s.Tokens || s.Tokens < 4*s.Pairs || s.Computed != s.Tokens || s.FLOPs == 0 {
			t.Errorf("sample %d: %+v", i, s)
		}
		pairs += s.Pairs
		tokens += s.Tokens
	}
	for i := range l.pairs {
		want += int(l.work.tokens[(l.from+i)%len(l.work.tokens)])
	}
	if pairs != l.pairs || tokens != want {
		t.Errorf("samples of %d pairs and %d tokens, want %d and %d", pairs, tokens, l.pairs, want)
	}
}

// The open loop must behave as a queue with first come first served and as many
// servers as callers, which a few lines simulate exactly.
func TestOpenLoopIsAQueue(t *testing.T) {
	for _, callers := range []int{1, 2, 5} {
		for _, rate := range []float64{5, 20, 200} {
			t.Run(fmt.Sprintf("callers-%d-rate-%v", callers, rate), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const batch, pairs = 4, 199
					service := randomService(rand.New(rand.NewPCG(5, 6)), pairs)
					f := newFake(service)
					l := loop{engine: f, work: numbered(pairs), batch: batch, callers: callers, pairs: pairs}
					run := recording.Run{Rate: rate, Open: &recording.Open{Seed: 1}}
					samples, err := l.asTheyArrive(t.Context(), &run, time.Time{})
					if err != nil {
						t.Fatal(err)
					}
					checkSamples(t, samples, l)
					if f.most > callers {
						t.Errorf("%d calls under way", f.most)
					}

					var want []recording.BatchSample
					free := make([]time.Duration, callers) // when each server is
					due := newArrivals(1, batch, rate)
					for at := 0; at < pairs; at += batch {
						arrival := due.next()
						server := slices.Index(free, slices.Min(free))
						begun := max(arrival, free[server])
						busy := service(l.work.pairs[at : at+1])
						free[server] = begun + busy
						want = append(want, recording.BatchSample{Start: arrival, Latency: free[server] - arrival, Queue: begun - arrival, Infer: busy})
					}
					slices.SortFunc(samples, func(a, b recording.BatchSample) int { return int(a.Start - b.Start) })
					for i, s := range samples {
						got := recording.BatchSample{Start: s.Start, Latency: s.Latency, Queue: s.Queue, Infer: s.Infer}
						if got != want[i] {
							t.Errorf("batch %d: %+v, want %+v", i, got, want[i])
						}
					}
				})
			})
		}
	}
}

func TestStop(t *testing.T) {
	t.Run("closed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(func([]engine.Pair) time.Duration { return time.Second })
			deadline := time.Now().Add(3500 * time.Millisecond)
			l := loop{engine: f, work: numbered(100), batch: 1, callers: 2, pairs: 100,
				stop: func(at time.Time) bool { return !at.Before(deadline) }}
			samples, err := l.run(t.Context())
			if err != nil || len(samples) != 8 || elapsed(samples) != 4*time.Second {
				t.Errorf("%d samples in %v (%v), want 8 in 4s", len(samples), elapsed(samples), err)
			}
		})
	})
	t.Run("open", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			deadline := time.Now().Add(10 * time.Second)
			l := loop{engine: newFake(nil), work: numbered(100), batch: 1, callers: 3, pairs: 100}
			run := recording.Run{Rate: 2, Open: &recording.Open{Seed: 1}}
			samples, err := l.asTheyArrive(t.Context(), &run, deadline)
			want := 0
			for due := newArrivals(1, 1, 2); due.next() < 10*time.Second; {
				want++
			}
			if err != nil || len(samples) != want {
				t.Errorf("%d samples (%v), want %d, the arrivals of 10 s", len(samples), err, want)
			}
		})
	})
	t.Run("the first batch runs always", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := loop{engine: newFake(nil), work: numbered(9), batch: 2, callers: 3, pairs: 9,
				stop: func(time.Time) bool { return true }}
			samples, err := l.run(t.Context())
			if err != nil || len(samples) != 1 {
				t.Errorf("%d samples (%v), want 1", len(samples), err)
			}
		})
	})
}

func TestLoopErrors(t *testing.T) {
	broken := errors.New("out of order")
	second := func([]engine.Pair) time.Duration { return time.Second }
	tests := []struct {
		name string
		fail func(pairs []engine.Pair) error
		want error
		text string
		kept int
	}{
		{"device error", func(p []engine.Pair) error {
			if first(p) == 12 {
				return broken
			}
			return nil
		}, broken, "bench: batch=4, concurrency=1: batch 3: out of order", 3},
		{"at once", func([]engine.Pair) error { return broken }, broken, "batch 0", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(second)
				f.fail = tt.fail
				l := loop{engine: f, work: numbered(40), batch: 4, callers: 1, pairs: 40}
				samples, err := l.run(t.Context())
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("error %q, want %q in it", err, tt.text)
				}
				if len(samples) != tt.kept {
					t.Errorf("%d samples kept, want %d", len(samples), tt.kept)
				}
			})
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		for _, open := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
				defer cancel()
				begun := time.Now()
				l := loop{engine: newFake(second), work: numbered(400), batch: 4, callers: 3, pairs: 400}
				run := l.run
				if open {
					r := recording.Run{Rate: 0.001, Open: &recording.Open{Seed: 1}} // the first arrives in an hour
					run = func(ctx context.Context) ([]recording.BatchSample, error) {
						return l.asTheyArrive(ctx, &r, time.Time{})
					}
				}
				samples, err := run(ctx)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				if time.Since(begun) != 4500*time.Millisecond {
					t.Errorf("ended after %v", time.Since(begun))
				}
				if want := 12; !open && len(samples) != want {
					t.Errorf("%d samples, want %d", len(samples), want)
				}
			})
		}
	})
}

// The engine may not return fewer scores than pairs and go unnoticed.
type forgetful struct{ *fake }

func (f forgetful) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, _ ...engine.CallOption) ([]float32, engine.CallStats, error) {
	dst, stats, err := f.fake.ScoreStats(ctx, dst, pairs)
	return dst[:len(dst)-1], stats, err
}

func TestLoopCountsScores(t *testing.T) {
	l := loop{engine: forgetful{newFake(nil)}, work: numbered(8), batch: 4, callers: 1, pairs: 8}
	if _, err := l.run(t.Context()); err == nil || !strings.Contains(err.Error(), "3 values for 4, want 1 each") {
		t.Errorf("error %v", err)
	}
}
