//go:build darwin && cgo && !fakemetal

package metal

// standIn says that the machine's GPU is a stand-in for one.
const standIn = false
