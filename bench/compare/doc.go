// Package compare lays two reports side by side and says which differences are larger than
// the noise.
//
// [Parse] reads a report back: report.json, recording.json, or markdown, ours or another
// tool's in the same format. [Reports] compares two of them, metric by metric, and
// [Comparison.WriteText] prints that. What is compared is [report.Metrics], and each of
// these says of what it scatters; the tests are here, in noise.go.
package compare
