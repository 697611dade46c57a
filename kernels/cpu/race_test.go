//go:build race

package cpu_test

// raceDetector says whether this is a build with it.
const raceDetector = true
