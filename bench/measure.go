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

// scorer is what a run measures: a pairEngine, a textEngine, or a fake in tests.
type scorer interface {
	// ScoreStats appends scores, as Engine.Score does, and returns what the call cost.
	ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, opts ...engine.CallOption) ([]float32, engine.CallStats, error)
	Tokenize(b *model.Batch, pairs []engine.Pair, _ ...engine.CallOption) error
	Info() engine.Info
	Close() error
}

// pairEngine is an engine of scores as a scorer.
type pairEngine struct{ *engine.Engine }

// ScoreStats appends the score of each pair to dst.
func (e pairEngine) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, opts ...engine.CallOption) ([]float32, engine.CallStats, error) {
	var stats engine.CallStats
	dst, err := e.Score(ctx, dst, pairs, append(opts, engine.StatsTo(&stats))...)
	return dst, stats, err
}

// loop offers batches of a workload to an engine in a closed loop: each caller takes the
// next batch as soon as its last one is scored. An open loop is a crowd.
type loop struct {
	engine  scorer
	work    *workload
	batch   int                           // pairs in a batch
	callers int                           // calls under way at most
	from    int                           // the first pair, an index into the endless workload
	pairs   int                           // how many to score
	stop    func(at time.Time) bool       // no batch starts once this is true; the first one always does
	done    func(s recording.BatchSample) // after each batch, one at a time
	// missed hears of a call without scores, one at a time, and says whether the others go
	// on; nil: they never do.
	missed func(s recording.BatchSample, err error) bool
}

// start says which batch starts, and when.
type start struct {
	batch int
	due   time.Time // of a crowd: the intended start; zero in a closed loop
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
		if ctx.Err() != nil || next*l.batch >= l.pairs || next > 0 && l.stop != nil && l.stop(time.Now()) {
			return s, false
		}
		s.batch = next
		next++
		return s, true
	}
	caller := func() {
		var memory callMemory
		for {
			s, ok := take()
			if !ok {
				return
			}
			sample, err := l.call(ctx, begun, s, &memory)
			if err != nil && ctx.Err() == nil && l.missed != nil {
				mu.Lock()
				goOn := l.missed(sample, err)
				mu.Unlock()
				if goOn {
					continue
				}
			}
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
	if err == nil {
		err = checkValues(l.engine, len(scores), len(pairs))
	}
	if err != nil {
		return sample, err
	}
	m.scores = scores
	sample.Tokenize, sample.Overlapped, sample.Infer = stats.Tokenize, stats.Overlapped, stats.Infer
	sample.Queue += stats.Queue
	sample.GPU, sample.Computed, sample.FLOPs = stats.GPU, stats.Tokens, stats.FLOPs
	if stats.Admit > 0 || stats.Deliver > 0 { // an engine that tells them
		sample.Handling = &recording.Handling{Admit: stats.Admit, Pack: stats.Pack, Deliver: stats.Deliver}
	}
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
