//go:build (darwin && cgo) || fakemetal

package darwinkit

import (
	"fmt"
	"runtime"

	"github.com/progrium/darwinkit/objc"
)

// inPool calls f where messages may be sent: inside an autorelease pool, whose
// thread the goroutine keeps, and on a stack that stays where it is. A panic, as
// darwinkit's at a message to nil, becomes an error; it must not unwind through
// the pool, which would never be drained.
func inPool(f func() error) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	hold(func() {
		objc.WithAutoreleasePool(func() {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("metal: a message failed: %v", p)
				}
			}()
			err = f()
		})
	})
	return err
}
