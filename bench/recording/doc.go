// Package recording holds what a run of the bench measured, and nothing that follows from
// it: every batch, every half-second look at the machine, and what a reader must know to
// believe them. It is data alone. Package bench fills a [Recording], package report derives
// the figures, and neither an engine nor a kernel is linked into a program that only reads.
//
// # recording.json
//
// The schema is that of the type [Recording], versioned by [SchemaVersion]. Durations are
// integers in nanoseconds. A null is a figure that could not be measured. Fields may be
// added within a version, and a reader ignores those that it does not know.
package recording
