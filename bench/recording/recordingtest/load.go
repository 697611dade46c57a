package recordingtest

import (
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// point is so many requests at even times of 10 s.
func point(purpose string, seed uint64, n int, latency, step time.Duration) recording.LoadPoint {
	p := recording.LoadPoint{Purpose: purpose, Rate: float64(n) / 10, Seed: seed, Length: 10 * time.Second, Patience: time.Second}
	for i := range n {
		late := time.Duration(i%5) * 20 * time.Microsecond
		l := latency + time.Duration(i*7%20)*step
		p.Answered = append(p.Answered, recording.BatchSample{Start: time.Duration(i) * 10 * time.Second / time.Duration(n), Latency: l,
			Tokenize: 30 * time.Microsecond, Queue: late + l/4, Late: late, Infer: l / 2, Pairs: 1, Tokens: 80, Padded: 80, FLOPs: 1e9})
	}
	return p
}

// Loaded is a recording of a search for the knee under a bound of 100 ms, and of a ramp
// before it: one point of it has misses and callers that ran out.
func Loaded() *recording.Recording {
	const ms = time.Millisecond
	rec := Loads()
	rec.Name, rec.Runs = "loaded", nil
	lost := point(recording.PurposeRamp, 1, 1200, 20*ms, 20*ms)
	for i, b := range lost.Answered {
		switch {
		case i%100 == 3:
			lost.Missed = append(lost.Missed, recording.Miss{Due: b.Start, After: 3 * ms, Reason: "lost | found"})
		case i%100 == 4:
			lost.Missed = append(lost.Missed, recording.Miss{Due: b.Start, After: time.Second, Reason: "unfinished"})
		default:
			lost.Answered[i-len(lost.Missed)] = b
		}
	}
	lost.Answered, lost.Waited = lost.Answered[:1200-len(lost.Missed)], 17
	rec.Load = &recording.Load{Batch: 1, Callers: 64, Capacity: 100, SLO: 100 * ms, Warmup: recording.Warmup{Batches: 90, Time: time.Second, Stable: true},
		Points: []recording.LoadPoint{
			point(recording.PurposeRamp, 1, 100, 10*ms, ms), lost,
			point(recording.PurposeSearch, 1, 300, 10*ms, ms), point(recording.PurposeSearch, 1, 950, 10*ms, 10*ms),
			point(recording.PurposeSearch, 1, 620, 10*ms, 3*ms),
			point(recording.PurposeConfirm, 2, 620, 10*ms, 4*ms), point(recording.PurposeConfirm, 3, 620, 12*ms, 4*ms), point(recording.PurposeConfirm, 4, 620, 10*ms, 3*ms),
		}}
	return rec
}
