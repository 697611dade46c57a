package peers

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// peakMB returns the most memory that a running process has had so far, in MB of 10^6 bytes;
// nil where the system does not tell, which is everywhere but on Linux. (What wait returns of
// a process that has ended is no use: on Linux it counts the parent's memory at the fork.)
func peakMB(pid int) *float64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			if kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "kB")), 64); err == nil {
				mb := kib * 1024 / 1e6
				return &mb
			}
		}
	}
	return nil
}
