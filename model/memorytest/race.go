//go:build race

package memorytest

// RaceDetector says that the race detector is on: it has memory of its own, and sync.Pool then
// drops at random what it is given, so that neither memory nor allocations tell anything.
const RaceDetector = true
