//go:build !race

package modeltest

// longest is the longest sequence of the suite.
const longest = 512
