//go:build fakemetal

package metal

// standIn says that the machine's GPU is a stand-in for one, which is a thousand times as slow.
const standIn = true
