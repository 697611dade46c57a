package darwinkit

import "runtime"

const (
	// held is what a goroutine's stack holds while it does not move: a quarter of
	// the largest that it is kept from being shrunk at.
	held = 64 << 10
	// headroom is how far it goes on from there without being grown.
	headroom = 32 << 10
)

// hold calls f on a stack that neither grows nor shrinks under it.
//
// objc.Call hands C the addresses of two slices as integers, which nothing
// corrects when a stack moves. The compiler, since Go 1.25, keeps slices of up to
// 32 bytes on the stack: those of every message with at most two arguments. A
// collection that shrinks the stack, or a call that grows it, in the few
// instructions before C has them, would make C read what is no longer there.
//
// A stack is shrunk when less than a quarter of it is used, so a large frame
// below f prevents that, and it has grown already when f begins.
//
//go:noinline
func hold(f func()) {
	var frame [held]byte
	reserve()
	f()
	runtime.KeepAlive(&frame)
}

//go:noinline
func reserve() {
	var frame [headroom]byte
	runtime.KeepAlive(&frame)
}
