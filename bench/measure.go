package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// scorer is what a run measures: an *engine.Engine, or a fake in tests.
type scorer interface {
	ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, opts ...engine.CallOption) ([]float32, engine.CallStats, error)
	Tokenize(b *model.Batch, pairs []engine.Pair, _ ...engine.CallOption) error
	Info() engine.Info
	Close() error
}

// loop makes calls to an engine with batches of a workload. In a closed loop, each caller
// takes the next batch as soon as its last one is scored. In an open loop, batches arrive
// at given times, however busy the engine is.
//
// An open loop has a limited number of callers, too. An arrival that finds all of them busy
// waits, first come first served. Its latency counts from the intended start, so this wait
// is part of it (and of Queue). If latency counted from the actual start, the engine would
// look good exactly when it is slow.
type loop struct {
	engine   scorer
	work     *workload
	batch    int                           // pairs in a batch
	callers  int                           // the most calls under way
	from     int                           // the first pair, as an index into the endless workload
	pairs    int                           // how many to score
	arrivals *arrivals                     // nil: closed loop
	stop     func(at time.Time) bool       // no batch starts once this is true; the first one always starts
	done     func(s recording.BatchSample) // called after each batch, one call at a time
}

// start says which batch starts, and when.
type start struct {
	batch int
	due   time.Time // in an open loop the intended start; zero in a closed loop
}

// run makes all calls, and returns a sample for each batch that was scored, in order of
// completion. On an error, or when ctx is cancelled, it returns the samples so far.
func (l *loop) run(ctx context.Context) ([]recording.BatchSample, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu      sync.Mutex
		next    int
		samples []recording.BatchSample
		wg      sync.WaitGroup
		begun   = time.Now()
	)
	take := func() (s start, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() != nil || next*l.batch >= l.pairs {
			return s, false
		}
		s.batch = next
		at := time.Now()
		if l.arrivals != nil {
			s.due = begun.Add(l.arrivals.next())
			at = s.due
		}
		if next > 0 && l.stop != nil && l.stop(at) {
			next = l.pairs // do not ask about later arrivals of an open loop
			return s, false
		}
		next++
		return s, true
	}
	caller := func() {
		var memory callMemory
		for {
			s, ok := take()
			if !ok || !sleepUntil(ctx, s.due) {
				return
			}
			sample, err := l.call(ctx, begun, s, &memory)
			if err != nil {
				// For a cancelled call, the reason of the cancellation is reported instead.
				cancel(fmt.Errorf("bench: batch=%d, concurrency=%d: batch %d: %w", l.batch, l.callers, s.batch, err))
				return
			}
			mu.Lock()
			samples = append(samples, sample)
			if l.done != nil {
				l.done(sample)
			}
			mu.Unlock()
		}
	}
	for range l.callers {
		wg.Go(caller)
	}
	wg.Wait()
	// Two callers that end at the same moment may get the lock in either order.
	slices.SortStableFunc(samples, func(a, b recording.BatchSample) int {
		return cmp.Compare(a.Start+a.Latency, b.Start+b.Latency)
	})
	return samples, context.Cause(ctx)
}

// callMemory is memory that a caller reuses for each call.
type callMemory struct {
	pairs  []engine.Pair
	scores []float32
}

// call scores one batch. If there is an error, the sample says when the call was made and
// how long it took.
func (l *loop) call(ctx context.Context, begun time.Time, s start, m *callMemory) (recording.BatchSample, error) {
	lo, hi := s.batch*l.batch, min((s.batch+1)*l.batch, l.pairs)
	pairs, tokens, padded := l.work.batch(m.pairs, l.from+lo, l.from+hi)
	called := time.Now()
	intended := called
	if !s.due.IsZero() {
		intended = s.due
	}
	scores, stats, err := l.engine.ScoreStats(ctx, m.scores[:0], pairs)
	ended := time.Now()
	m.pairs = pairs
	sample := recording.BatchSample{
		Start:   intended.Sub(begun),
		Latency: ended.Sub(intended),
		Queue:   called.Sub(intended),
		Late:    called.Sub(intended),
		Pairs:   len(pairs),
		// The engine may divide a call into its own batches, and pads none. The waste by
		// padding is that of the batch that the caller made.
		Tokens: tokens,
		Padded: padded,
	}
	if err == nil && len(scores) != len(pairs) {
		err = fmt.Errorf("%d scores for %d pairs", len(scores), len(pairs))
	}
	if err != nil {
		return sample, err
	}
	m.scores = scores
	sample.Tokenize, sample.Overlapped, sample.Infer = stats.Tokenize, stats.Overlapped, stats.Infer
	sample.Queue += stats.Queue
	sample.GPU, sample.Computed, sample.FLOPs = stats.GPU, stats.Tokens, stats.FLOPs
	return sample, nil
}

// sleepUntil waits until due. It returns false if ctx is over. It does not wait for the
// zero time or another time in the past.
func sleepUntil(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if due.IsZero() || wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// elapsed returns the time from the first start to the last end.
func elapsed(samples []recording.BatchSample) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	first, last := samples[0].Start, time.Duration(0)
	for _, s := range samples {
		first, last = min(first, s.Start), max(last, s.Start+s.Latency)
	}
	return last - first
}
