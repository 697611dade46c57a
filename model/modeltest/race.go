//go:build race

package modeltest

// longest is the longest sequence of the suite. The race detector makes
// arithmetic ten times slower and has nothing to find in it.
const longest = 129
