// Package conformance measures how far a device is from exact arithmetic, block by block,
// beside how far its rounding lets it be.
//
// A Case is a made-up model with a batch. Hold runs a device over it and compares what the
// device makes of each block with float64 arithmetic on what the block was given. The bound
// of every value is derived from the device's Rounding, so that nothing is tuned to what a
// device happens to give. Tests have this by way of package modeltest; the command's doctor
// has it on a user's machine.
package conformance
