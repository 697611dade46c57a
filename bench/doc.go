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
// In a closed loop each caller offers the next batch when its last one is scored. In an open
// loop batches arrive as a Poisson process whose times are fixed before the first of them,
// each on a goroutine of its own, and latency counts from when a batch was due, not from
// when a caller came to it. A bound on the callers is for who asks for one: what it makes
// late is counted, and reports say that latency is at least what they print. The first batches of a configuration are a warm-up, of
// which only the number, the time and whether the rate was steady are kept.
//
// The latency of a batch is the client's lateness, the way into the engine's queue, the wait
// there, its tokenization and its inference, less the tokenization that went on beside its own
// inference, the handing over, and what remains: see [recording.BatchSample] and
// [recording.Handling].
//
// [Options.Server] is measured in the engine's place, by requests of one query and a batch's
// passages. What the client does, JSON and all, is in their latency; what brings no scores is
// a miss, counted by its kind and in no figure of speed. A server of embeddings does other work
// than the engine: its tokens are those of single texts, its scores are cosines, and it has no
// accuracy gate.
//
// [Options.Stages] asks what each kernel costs. This is not measured in the batches that
// count, because a GPU runs a batch as one command buffer, and must get it in pieces to time
// single kernels. So afterwards, more batches of the configuration are scored, each twice:
// normally and with its kernels timed.
//
// # Embeddings
//
// An engine of embeddings is measured by the same loops and scenarios. A pair is then a single
// text, its "score" an embedding, and every count and rate of pairs, whatever it is named after,
// is of texts: see [recording.Recording]. The gate compares the embeddings of some texts with the
// float64 reference's, and the cosines between these texts: their errors are what makes another
// text the nearer one. The reference is too slow for more, and so the ten nearest neighbours
// among a few hundred texts are compared with float32's, which is thousands of times nearer to
// it than what is compared. Ablations and judged pairs are of scores alone, and refused.
//
// # The scenarios
//
// [Options.Mix], [Options.Overload], [Options.Load] and [Options.Ablate] take the place of the
// configurations. The points of a load come one after the other, by package load's search. The
// others take turns in rounds: what drifts does so for each of them. Calls that arrive do so as
// a Poisson process, each has a goroutine of its own, so that the engine hears of it when it is
// due, and latency counts from when it was due.
//
//   - A mix sets the latency of one-pair calls beside bulk callers against that of the same
//     calls (the same times, the same text) alone, and the bulk's rate beside them against
//     the bulk's alone. A call of the bulk outlasts the load, so that its pairs are counted
//     by the passes that ended, less the small calls'. One small caller in a closed loop is
//     the worst case for the bulk: whenever it is served it asks again. It is set against
//     itself alone, which unlike calls that arrive now and then finds warm caches and cores
//     that are awake.
//   - An overload sets the latency of what a flood has accepted against that of as many
//     callers in a closed loop as the queue has room for: the queue is as long in both, and
//     the difference is what refusing costs those that are not refused. Offered calls are
//     accepted, refused, failed (counted by error) or not sent, and a recording in which
//     these do not sum up is not valid.
//   - An ablation scores the same pairs in the full way, without one idea, and in ever fuller
//     ways from one that has none of them, in rounds whose order is random, and turned round
//     in the next. An idea is switched off by an option of the engine, by other text (padding)
//     or by calling it otherwise (tokens that were made before), never by a second path in its
//     code. For what that leaves, the last layer for [CLS] alone and GELU in the product, the
//     work is timed alone in both ways, and its share of a full run.
package bench
