package darwinkit

import (
	"runtime"
	"testing"
	"unsafe"
)

// TestHold looks where a frame is before and after what moves stacks.
func TestHold(t *testing.T) {
	if moved(func(f func()) { f() }) == 0 {
		t.Error("the stack does not move where nothing holds it: the test finds nothing")
	}
	if n := moved(hold); n != 0 {
		t.Errorf("the stack moved %d times", n)
	}
}

// moved counts how often a stack moves under f, called by a way of calling, when
// it needs more room and when collections could shrink it.
func moved(call func(f func())) (n int) {
	done := make(chan struct{})
	go func() { // whose stack is small
		defer close(done)
		call(func() {
			var here byte
			at := uintptr(unsafe.Pointer(&here))
			for range 8 {
				deep(20)
				for range 2 {
					if now := uintptr(unsafe.Pointer(&here)); now != at {
						at, n = now, n+1
					}
					runtime.GC()
				}
			}
		})
	}()
	<-done
	return n
}

// deep uses a KiB of stack for each level.
//
//go:noinline
func deep(levels int) {
	var frame [1 << 10]byte
	if levels > 0 {
		deep(levels - 1)
	}
	runtime.KeepAlive(&frame)
}
