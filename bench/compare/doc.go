// Package compare lays two reports side by side and says which differences are larger than
// the noise.
//
// [Parse] reads a report: report.json, recording.json, or markdown, ours or another tool's in
// the same format. [Reports] compares two of them, metric by metric, and
// [Comparison.WriteText] prints the comparison. The metrics are [report.Metrics]; each of them
// says what its scatter can be computed from. The tests are in noise.go.
package compare
