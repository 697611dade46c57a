package bench

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
)

func TestWarmUp(t *testing.T) {
	// call gives the service time of the i-th call.
	tests := []struct {
		name    string
		callers int
		limit   time.Duration
		call    func(i int) time.Duration
		want    recording.Warmup
	}{
		{"steady from the start", 1, time.Minute,
			func(int) time.Duration { return time.Second },
			recording.Warmup{Batches: 4, Time: 4 * time.Second, Stable: true}},
		{"three slow ones first", 1, time.Minute,
			func(i int) time.Duration {
				if i < 3 {
					return 2 * time.Second
				}
				return time.Second
			},
			// Windows of two: 4 s, 3 s, 2 s, 2 s.
			recording.Warmup{Batches: 8, Time: 11 * time.Second, Stable: true}},
		{"slower and slower", 1, 10 * time.Second,
			func(i int) time.Duration { return time.Duration(i+1) * time.Second },
			recording.Warmup{Batches: 4, Time: 10 * time.Second}},
		{"the limit is over during the first", 1, time.Second,
			func(int) time.Duration { return 5 * time.Second },
			recording.Warmup{Batches: 1, Time: 5 * time.Second}},
		{"no time at all", 1, 0,
			func(int) time.Duration { return 5 * time.Second },
			recording.Warmup{Batches: 1, Time: 5 * time.Second}},
		{"quick batches fill a window of 200 ms", 1, time.Minute,
			func(int) time.Duration { return 10 * time.Millisecond },
			recording.Warmup{Batches: 40, Time: 400 * time.Millisecond, Stable: true}},
		{"two batches of each of three callers", 3, time.Minute,
			func(int) time.Duration { return time.Second },
			// The two callers that are not the last to end have begun a third.
			recording.Warmup{Batches: 12, Time: 4 * time.Second, Stable: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				f := newFake(nil)
				f.service = func([]engine.Pair) time.Duration {
					f.mu.Lock()
					defer f.mu.Unlock()
					calls++
					return tt.call(calls - 1)
				}
				w := numbered(400)
				for i := range w.tokens {
					w.tokens[i] = 50
				}
				heard := 0
				l := loop{engine: f, work: w, batch: 4, callers: tt.callers, pairs: 8,
					done: func(recording.BatchSample) { heard++ }}
				got, err := warmUp(t.Context(), l, tt.limit)
				if err != nil {
					t.Fatal(err)
				}
				// Which of several callers that end together is last is not said:
				// the others may have begun one batch more.
				if tt.callers > 1 {
					if got.Batches < tt.want.Batches || got.Batches >= tt.want.Batches+tt.callers || !got.Stable {
						t.Errorf("%+v, want %+v and up to %d batches more", got, tt.want, tt.callers-1)
					}
				} else if got != tt.want {
					t.Errorf("%+v, want %+v", got, tt.want)
				}
				if heard != got.Batches {
					t.Errorf("done heard of %d batches, want %d", heard, got.Batches)
				}
				if f.scored["0"] > 0 || f.scored["200"] == 0 {
					t.Errorf("warm-up read the head of the workload, not its middle")
				}
			})
		})
	}
}

func TestWarmUpCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		calls := 0
		f := newFake(func([]engine.Pair) time.Duration { calls++; return time.Duration(calls) * time.Second })
		got, err := warmUp(ctx, loop{engine: f, work: numbered(10), batch: 1, callers: 1}, time.Minute)
		if !errors.Is(err, context.DeadlineExceeded) || got.Batches != 1 || got.Stable {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
