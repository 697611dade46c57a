//go:build (darwin && cgo) || fakemetal

package darwinkit

// #cgo LDFLAGS: -framework Metal -framework Foundation -framework CoreGraphics
// #include <stdint.h>
// #include <time.h>
//
// // Objects, which C knows as pointers. Both functions give a reference away.
// void *MTLCreateSystemDefaultDevice(void);
// void *MTLCopyAllDevices(void);
//
// static uint64_t nanoseconds(void) {
// #ifdef __APPLE__
// 	return clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
// #else
// 	struct timespec t;
// 	clock_gettime(CLOCK_MONOTONIC, &t);
// 	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
// #endif
// }
import "C"

import (
	"time"

	"github.com/progrium/darwinkit/objc"
)

// defaultDevice returns the device that the system recommends, or nil. The
// caller releases it.
func defaultDevice() objc.Object { return objc.ObjectFrom(C.MTLCreateSystemDefaultDevice()) }

// allDevices returns an array of devices, or nil. The caller releases it.
func allDevices() objc.Object { return objc.ObjectFrom(C.MTLCopyAllDevices()) }

// clock reads the clock that a command buffer's GPUStartTime is of.
func clock() time.Duration { return time.Duration(C.nanoseconds()) }
