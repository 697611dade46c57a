package engine

import (
	"os"
	"testing"
)

// The files of /sys say that they are as long as a page, and are not refused for it:
// without one of them all processors of ARM are the same to the calibration.
func TestAttribute(t *testing.T) {
	const path = "/sys/devices/system/cpu/online"
	info, err := os.Stat(path)
	if err != nil {
		t.Skip(err)
	}
	if got := attribute(path); got == "" {
		t.Errorf("nothing is read of a file that says it has %d bytes", info.Size())
	}
	if got := attribute(path + "-not"); got != "" {
		t.Errorf("%q is read of no file", got)
	}
}
