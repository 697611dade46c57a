package bench

import "time"

// small makes n samples of one-pair calls, each a little later and longer than the last.
func small(n int, latency, step time.Duration) (list []BatchSample) {
	for i := range n {
		late := time.Duration(i%5) * 100 * time.Microsecond
		list = append(list, BatchSample{Start: time.Duration(i) * 40 * time.Millisecond, Latency: latency + time.Duration(i%20)*step,
			Tokenize: 30 * time.Microsecond, Queue: late + latency/4, Late: late, Infer: latency / 2,
			Pairs: 1, Tokens: 80 + i%7, Padded: 80 + i%7, FLOPs: 1e9})
	}
	return list
}

// mixed is a recording of a mix: two rounds, the second in the other order; enough small
// calls beside the bulk for a P99, too few alone, and hardly any of the closed loop.
func mixed() *Recording {
	const ms = time.Millisecond
	rec := loads()
	rec.Name, rec.Runs = "mixed", nil
	rec.Mix = &Mix{BulkCallers: 8, BulkPairs: 100_000, Background: true, Rate: 7.5, Warmup: Warmup{Batches: 6, Time: time.Second, Stable: true},
		Phases: []MixPhase{
			{0, LoadSmall, 7000 * ms, 0, 0, small(50, 8*ms, ms/10)},
			{0, LoadAlone, 2000 * ms, 0, 0, small(150, 7*ms, ms/10)},
			{0, LoadBulk, 3000 * ms, 750, 60_000, nil},
			{0, LoadBoth, 7000 * ms, 1680, 134_400, small(160, 12*ms, ms/5)},
			{0, LoadClosed, 3000 * ms, 600, 48_000, small(20, 14*ms, ms/5)},
			{1, LoadSmall, 7000 * ms, 0, 0, small(60, 9*ms, ms/10)},
			{1, LoadAlone, 2000 * ms, 0, 0, small(150, 7*ms, ms/10)},
			{1, LoadBoth, 7000 * ms, 1700, 140_000, small(160, 14*ms, ms/5)},
			{1, LoadBulk, 3000 * ms, 740, 61_000, nil},
			{1, LoadClosed, 3000 * ms, 610, 50_000, small(30, 14*ms, ms/5)},
		}}
	return rec
}

// flooded is a recording of an overload: one round, in which some calls failed and a few
// were not sent.
func flooded() *Recording {
	const ms, us = time.Millisecond, time.Microsecond
	rec := loads()
	rec.Name, rec.Runs = "flooded", nil
	var refused []time.Duration
	for i := range 640 {
		refused = append(refused, time.Duration(2+i%30)*us)
	}
	rec.Overload = &Overload{Batch: 1, MaxQueue: 64, Callers: 64, Factor: 3, Capacity: 250, Rate: 750, Warmup: Warmup{Batches: 700, Time: time.Second},
		Phases: []OverloadPhase{
			{Round: 0, Load: LoadQueue, Length: 1300 * ms, Offered: 320, Accepted: small(320, 250*ms, ms)},
			{Round: 0, Load: LoadFlood, Length: 1250 * ms, Offered: 970, Accepted: small(320, 270*ms, ms), Refused: refused,
				Failed: map[string]int{"engine: closed": 3, "context | canceled": 2}, Unsent: 5},
		}}
	return rec
}
