package workbench

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// Level is a cache, or the memory behind all caches.
type Level struct {
	Name  string `json:"name"`       // "L1", "L2", "L3" or "DRAM"
	Bytes int64  `json:"bytes"`      // size of the working set with which its bandwidth is measured
	Read  int64  `json:"read_bytes"` // Assumed is true if the system does not say the size.
	// Assumed says that the system does not tell the size.
	Assumed bool `json:"assumed"`
}

// Sizes of the working set for DRAM. It is larger than the caches, but limited, because it
// is allocated.
const (
	leastDRAM = 64 << 20
	mostDRAM  = 256 << 20
)

// The size of a working set is a multiple of readUnit.
const readUnit = 512

// Levels returns the caches and the memory that a core of this machine reads from, nearest
// first.
func Levels() []Level { return levels(cacheSizes(os.DirFS("/"), runtime.GOOS)) }

// levels returns the levels for caches of these sizes, L1 first. A size of 0 means unknown
// for L1 and L2, and no cache for L3.
func levels(sizes [3]int64) []Level {
	var all []Level
	last := int64(0)
	for i, size := range sizes {
		assumed := size <= 0 && i < 2
		if assumed {
			size = [...]int64{32 << 10, 512 << 10}[i]
		}
		// A cache that holds no more than the one before it is left out.
		if size <= last {
			continue
		}
		read := size / 2
		if i == 2 {
			read = min(read, 4*last) // other cores use it too
		}
		all = append(all, Level{Name: fmt.Sprintf("L%d", i+1), Bytes: size, Read: read / readUnit * readUnit, Assumed: assumed})
		last = size
	}
	return append(all, Level{Name: "DRAM", Read: min(mostDRAM, max(leastDRAM, 4*last)) / readUnit * readUnit})
}

// cacheSizes returns the sizes in bytes of the data caches that a core uses, L1 first; 0 if
// unknown.
func cacheSizes(system fs.FS, goos string) [3]int64 {
	c := cpuid.CPU.Cache
	sizes := [3]int64{int64(c.L1D), int64(c.L2), int64(c.L3)}
	if goos == "linux" {
		// Linux knows more than the processor tells programs, on ARM above all.
		for i, size := range linuxCaches(system) {
			if size > 0 {
				sizes[i] = size
			}
		}
	}
	return sizes
}

// linuxCaches reads what Linux says about the first core's data caches.
func linuxCaches(system fs.FS) (sizes [3]int64) {
	dirs, err := fs.Glob(system, "sys/devices/system/cpu/cpu0/cache/index*")
	if err != nil {
		return sizes
	}
	for _, dir := range dirs {
		read := func(name string) string {
			text, err := fs.ReadFile(system, dir+"/"+name)
			if err != nil {
				return ""
			}
			return strings.TrimSpace(string(text))
		}
		level, err := strconv.Atoi(read("level"))
		if err != nil || level < 1 || level > len(sizes) || read("type") == "Instruction" {
			continue
		}
		text, unit := read("size"), int64(1)
		switch {
		case strings.HasSuffix(text, "K"):
			unit = 1 << 10
		case strings.HasSuffix(text, "M"):
			unit = 1 << 20
		}
		if n, err := strconv.ParseInt(strings.TrimRight(text, "KM"), 10, 32); err == nil && n > 0 {
			sizes[level-1] = n * unit
		}
	}
	return sizes
}

// levelOf returns the index of the nearest level that holds a working set of that size.
func levelOf(all []Level, footprint int64) int {
	for i, l := range all[:len(all)-1] {
		if footprint <= l.Bytes {
			return i
		}
	}
	return len(all) - 1
}
