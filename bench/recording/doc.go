// Package recording holds what a run of the bench has measured, and nothing that follows from
// it: every batch, what the machine showed every half second, and what a reader must know to
// trust them. It has only data. Package bench fills a [Recording], and package report derives
// figures from it. A program that only reads recordings links neither an engine nor a kernel.
//
// # recording.json
//
// The schema is that of the type [Recording]; [SchemaVersion] is its version. Durations are
// integers, in nanoseconds. null means that a figure could not be measured. Fields may be
// added within a version, and a reader ignores those that it does not know.
package recording
