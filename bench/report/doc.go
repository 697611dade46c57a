// Package report derives figures from a recording, and prints them.
//
// [Derive] is a pure function of a [recording.Recording], and so is every page: rendering a
// recording again gives the same bytes. [Report.WriteMarkdown], [Report.WriteHTML],
// [Report.WriteJSON] and [Report.WriteCSV] print a report, [Write] puts all of them into a
// folder, and [WriteProfile] shows the kernels of a recording to pprof. Nothing here knows an
// engine.
//
// # The figures
//
// The format is that of a report made by an earlier PyTorch program, and so are
// the definitions, worked back from its numbers:
//
//   - The sample is the latency of a batch, in ms. Its throughput is its pairs
//     over its latency, at any concurrency; minimum, maximum, standard
//     deviation and percentiles of the throughput are of these.
//   - The average throughput ("TP Avg") is all pairs over all time. The mean of
//     the per-batch figures is another number, and larger (fast batches count
//     as much as slow ones): the report gives both by name.
//   - Percentiles interpolate linearly between the order statistics around
//     rank p(n-1), numpy's default.
//   - The standard deviation is the population's (division by n). That is what
//     the earlier report has: its correlation, -0.900, follows from its means
//     and deviations with division by n; with n-1 it would be -0.909.
//   - The four latency ranges are [0,P50), [P50,P75), [P75,P90) and [P90,inf).
//   - Throughput being pairs/latency of the same batch, their correlation is a
//     property of 1/x and no finding; with several configurations the report
//     also sets mean latency against throughput across them, which is one.
//   - A dashboard row looks back from the end of its half second: throughput is
//     the pairs of the batches completed in the last second (divided by the
//     time there was, where the run is younger than a second), latency the mean
//     over those batches, and tokenization, inference, queue wait and padding
//     waste are those of the last of them. The earlier report shows both: its
//     latencies are 1000 ms over the batches of the last second to within one
//     batch, while tokenization plus inference of a row exceeds them by far.
//     Where no batch completed in the last second the throughput is 0 and the
//     rest is n/a; nothing is carried over. The stage table, over every batch,
//     is the better figure for tokenization and inference.
//   - Padding waste is the share of a batch's tokens that would be padding if
//     every pair were padded to the longest. What was really computed in vain
//     is "actual", and the difference of the two is "avoided".
//   - The error of the logits, against a reference in float64, is taken apart
//     into what all pairs have in common (the offset, which swaps none) and the
//     rest (the centred error, which does); the gate has a limit for each. The
//     orders flipped are those of all pairs of the sampled pairs.
//   - Of pairs that came with exact logits and judgements, errors are shares of
//     those logits' standard deviation, orders are of passages of one query, and
//     nDCG@10 is as package agreement defines it, the mean over judged queries.
//     The interval of its difference is a bootstrap over queries.
//
// Of a run that embeds texts ("task": "embed"), the same fields and columns are of texts, and
// [Report.Words] makes the titles and sentences say so. accuracy.embeddings has how far the
// embeddings are from the reference's, and how many of the nearest neighbours stay.
//
// A figure that was not measured is n/a, null in JSON, and never 0. A percentile
// that has no upper confidence bound is given and marked (see [Bound]). Without
// a passed accuracy gate there is no speed figure at all: [Report.Withheld]. A server of
// embeddings has none, since nothing can judge a cosine, and its pages say that.
//
// # The stages of inference
//
// A run that was asked for stages has a table of them, from batches that were scored for that
// alone after the measurement (see package bench): a row for each kernel, added up over the
// layers, what they sum up to, and what the timing cost. Rates are of one worker, and so is
// the peak that they are a share of: they say how good a kernel is, and not how busy the
// machine was. Package compare and the CSV leave them out.
//
// The stages of a batch make up its latency: queue wait, tokenization and inference, less
// the tokenization that went on beside the batch's own inference. What remains is told as
// unaccounted. How late the client was in an open loop is a row of its own, and no queue wait.
// Where the batches tell it, a [Path] follows them through every stage, with what is left over
// at its end, and [Steady] is what the load was without its ramp and its drain.
//
// # The scenarios
//
// A mix, an overload and points of load, which package bench describes, have sections of their
// own in the place of configurations. Package load judges the points, and [LoadFigures] has
// them as plain numbers. Those of the other two are of all rounds
// together, which are shown one by one beside their median. The bulk's rate is that of the
// passes that ended. Of an ablation, each ratio is the median of the rounds' ratios, with a
// bootstrap over rounds; what was timed alone is computed, and says so.
//
// # report.html
//
// The page is one file: nothing in it is fetched and nothing runs. Its verdict is first, then
// the configurations, the plots, and the sections of the markdown, read back from it, so that
// the two cannot differ. Each plot has a file of its own here, which says what it shows in
// words too; the marks and scales are package plot's, and the frame is package page's. A plot
// is drawn twice, for a wide window and for a narrow one. What there is no data for is left
// out, and the page says why. The page carries its recording where that leaves it below 1 MB.
//
// # report.json
//
// The schema is that of the type [Report], versioned by [recording.SchemaVersion]. Names
// carry units; summary.pairs_per_second is the best configuration's average.
// Fields may be added within a version; a reader ignores those it does not know.
package report
