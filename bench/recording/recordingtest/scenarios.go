package recordingtest

import (
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// small makes n samples of one-pair calls, each a little later and longer than the last.
func small(n int, latency, step time.Duration) (list []recording.BatchSample) {
	for i := range n {
		late := time.Duration(i%5) * 100 * time.Microsecond
		list = append(list, recording.BatchSample{Start: time.Duration(i) * 40 * time.Millisecond, Latency: latency + time.Duration(i%20)*step,
			Tokenize: 30 * time.Microsecond, Queue: late + latency/4, Late: late, Infer: latency / 2,
			Pairs: 1, Tokens: 80 + i%7, Padded: 80 + i%7, FLOPs: 1e9})
	}
	return list
}

// Mixed is a recording of a mix: two rounds, the second in the other order; enough small
// calls beside the bulk for a P99, too few alone, and hardly any of the closed loop.
func Mixed() *recording.Recording {
	const ms = time.Millisecond
	rec := Loads()
	rec.Name, rec.Runs = "mixed", nil
	rec.Mix = &recording.Mix{BulkCallers: 8, BulkPairs: 100_000, Background: true, Rate: 7.5, Warmup: recording.Warmup{Batches: 6, Time: time.Second, Stable: true},
		Phases: []recording.MixPhase{
			{Round: 0, Load: recording.LoadSmall, Length: 7000 * ms, Small: small(50, 8*ms, ms/10)},
			{Round: 0, Load: recording.LoadAlone, Length: 2000 * ms, Small: small(150, 7*ms, ms/10)},
			{Round: 0, Load: recording.LoadBulk, Length: 3000 * ms, BulkPairs: 750, BulkTokens: 60_000},
			{Round: 0, Load: recording.LoadBoth, Length: 7000 * ms, BulkPairs: 1680, BulkTokens: 134_400, Small: small(160, 12*ms, ms/5)},
			{Round: 0, Load: recording.LoadClosed, Length: 3000 * ms, BulkPairs: 600, BulkTokens: 48_000, Small: small(20, 14*ms, ms/5)},
			{Round: 1, Load: recording.LoadSmall, Length: 7000 * ms, Small: small(60, 9*ms, ms/10)},
			{Round: 1, Load: recording.LoadAlone, Length: 2000 * ms, Small: small(150, 7*ms, ms/10)},
			{Round: 1, Load: recording.LoadBoth, Length: 7000 * ms, BulkPairs: 1700, BulkTokens: 140_000, Small: small(160, 14*ms, ms/5)},
			{Round: 1, Load: recording.LoadBulk, Length: 3000 * ms, BulkPairs: 740, BulkTokens: 61_000},
			{Round: 1, Load: recording.LoadClosed, Length: 3000 * ms, BulkPairs: 610, BulkTokens: 50_000, Small: small(30, 14*ms, ms/5)},
		}}
	return rec
}

// Flooded is a recording of an overload: one round, in which some calls failed and a few
// were not sent.
func Flooded() *recording.Recording {
	const ms, us = time.Millisecond, time.Microsecond
	rec := Loads()
	rec.Name, rec.Runs = "flooded", nil
	var refused []time.Duration
	for i := range 640 {
		refused = append(refused, time.Duration(2+i%30)*us)
	}
	rec.Overload = &recording.Overload{Batch: 1, MaxQueue: 64, Callers: 64, Factor: 3, Capacity: 250, Rate: 750, Warmup: recording.Warmup{Batches: 700, Time: time.Second},
		Phases: []recording.OverloadPhase{
			{Round: 0, Load: recording.LoadQueue, Length: 1300 * ms, Offered: 320, Accepted: small(320, 250*ms, ms)},
			{Round: 0, Load: recording.LoadFlood, Length: 1250 * ms, Offered: 970, Accepted: small(320, 270*ms, ms), Refused: refused,
				Failed: map[string]int{"engine: closed": 3, "context | canceled": 2}, Unsent: 5},
		}}
	return rec
}
