//go:build !race

package memorytest

// RaceDetector says that the race detector is on.
const RaceDetector = false
