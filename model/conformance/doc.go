// Package conformance measures how far a device is from exact arithmetic, block by block, and
// how far its rounding allows it to be.
//
// A Case is a made-up model with a batch. Hold runs a device on it and compares the result of
// each block with float64 arithmetic on the block's input. The bound of every value is derived
// from the device's Rounding, so no bound is adjusted to what a device happens to compute.
// Tests use it through package modeltest, and the command's doctor uses it on a user's
// machine.
package conformance
