package peers

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// peakMB returns the most memory that a running process and those of its group have had so
// far, in MB of 10^6 bytes, each its own peak; nil where the system does not tell, which is
// everywhere but on Linux. (What wait returns of a process that has ended is no use: on Linux
// it counts the parent's memory at the fork.)
func peakMB(pid int) *float64 {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	sum := 0.0
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended meanwhile
		}
		// The name, in brackets, may have anything in it; then come state, parent and group.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) > 2 && string(fields[2]) == strconv.Itoa(pid) {
			sum += highWater(filepath.Join(filepath.Dir(stat), "status"))
		}
	}
	if sum == 0 {
		return nil
	}
	return &sum
}

// highWater returns VmHWM of a process's status file, in MB of 10^6 bytes; 0 if there is none.
func highWater(status string) (mb float64) {
	f, err := os.Open(status)
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			var kib float64
			if _, err := fmt.Sscanf(text, "%f kB", &kib); err == nil {
				return kib * 1024 / 1e6
			}
		}
	}
	return 0
}
