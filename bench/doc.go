// Package bench measures an engine.
//
// This is the first of three packages. It has the workload and the measurement: [Measure]
// checks the scores against the float64 reference, warms the engine up, makes it work, and
// returns a [recording.Recording] of everything that it saw. While it measures, nothing is
// derived. Package report derives the figures from a recording and prints them, and package
// compare compares two reports. These two do not need an engine. All three use the packages
// recording, which has only data, and stats, which describes samples.
//
// The caller of Measure owns the recording, and writes it with [recording.Write].
//
// # The load
//
// In a closed loop, each caller makes the next call when its last batch is scored. In an open
// loop, batches arrive as a Poisson process, and latency counts from when a batch was due,
// not from when a caller had time for it. The first batches of a configuration are a warm-up;
// only their number, their time, and whether the rate was steady are kept.
//
// The latency of a batch is the sum of its wait in the queue, its tokenization and its
// inference, minus the tokenization that ran beside its own inference, plus a rest: see
// [recording.BatchSample].
//
// [Options.Stages] asks what each kernel costs. This is not measured in the batches that
// count, because a GPU runs a batch as one command buffer, and must get it in pieces to time
// single kernels. So afterwards, more batches of the configuration are scored, each twice:
// normally and with its kernels timed.
//
// # The scenarios
//
// [Options.Mix] and [Options.Overload] are measured instead of configurations. Their loads
// take turns in rounds, on one engine, so that slow changes of the machine affect all of them.
// Calls arrive as a Poisson process. Each has a goroutine of its own, so that the engine
// receives it when it is due, and latency counts from then.
//
//   - A mix compares the latency of one-pair calls beside bulk callers with that of the same
//     calls (the same times, the same text) alone, and the bulk's rate beside them with its
//     rate alone. A call of the bulk lasts longer than the load; so its pairs are counted by
//     the passes that ended, minus those of the small calls. The worst case for the bulk is a
//     small caller in a closed loop, which calls again as soon as it is served. It is compared
//     with itself alone, because unlike calls that arrive now and then it finds warm caches
//     and cores that are awake.
//   - An overload compares the latency of the accepted calls of a flood with that of as many
//     callers in a closed loop as there is room for in the queue. The queue is equally long in
//     both, so the difference is what refusing calls costs those that are accepted. An offered
//     call is accepted, refused, failed (counted by error) or not sent; a recording in which
//     these do not add up is not valid.
package bench
