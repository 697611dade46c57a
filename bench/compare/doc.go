// Package compare lays reports side by side and says which of their differences are more
// than chance.
//
// [Parse] reads a report back: report.json, recording.json, or markdown, ours or another
// tool's in the same format.
//
// The unit is the run. The batches of a run share what the machine was doing then, so that
// two runs of one program differ by more than their batches tell, and a test of batches calls
// that a finding. [Reports] therefore compares two runs, metric by metric, and gives no
// verdict. [Judge] gives one, of more runs.
//
// # Verdicts
//
// Of rounds, in each of which A and B ran in turns, what counts of a metric is the log of B/A
// of each round. The estimate is their median; beside it stand its 95 % interval, by the
// percentile bootstrap over rounds, and p by the exact sign-flip test (see package stats). Of
// runs that are not paired it is the difference of the medians of their logs, with a bootstrap
// of both, and the p of Mann and Whitney.
//
// The threshold of a metric is that of its gate, 3 % if nothing else is said, or the spread of
// A against itself in the same trial, if that is more. No run is made for it alone: each run of
// a side beside the same side's run of the round before is such a comparison, and n rounds have
// 2(n-1) of them. The spread is how far from 1 the interval of as many rounds without any
// difference would reach in 95 of 100 trials: twice as far as their median would, which is
// drawn from these ratios with signs at random (see [stats.NullReach]). So a metric that
// scatters much is "the same within 20 %", which says how little is known of it, and does not
// leave every trial undecided; but never within more than 25 %, nor within more than somebody
// asked for: on a machine that is 100 % from itself nothing passes. On the log scale the threshold is as far in both directions:
// naming the sides the other way round turns a verdict round and changes nothing else.
//
//   - "faster" and "slower": the whole interval is beyond the threshold, and p is below 0.05,
//     after Holm's adjustment over the metrics that are gated;
//   - "same within 3 %": the whole interval is within the threshold, as far as that may go;
//   - "inconclusive" with the interval, and about how many more rounds would settle it if they
//     were like these, since an interval narrows with the square root of its rounds. Fewer than
//     six rounds, or four runs a side that are not paired, are always that: they cannot have a p
//     below 0.05.
//
// Gated are throughput, P95 and the first score, or what is named. A percentile is a gate where
// each run has batches enough for its upper bound to exist: 59 for P95, 299 for P99.
package compare
