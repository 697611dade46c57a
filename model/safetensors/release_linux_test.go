package safetensors

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
)

// resident is how many bytes of the mapping of the file at path are in this
// process's memory.
func resident(t *testing.T, path string) (bytes int) {
	t.Helper()
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	defer file.Close()
	ours := false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kib int
		line := lines.Text()
		if key, _, _ := strings.Cut(line, " "); !strings.HasSuffix(key, ":") { // a mapping's first line
			ours = strings.HasSuffix(line, path)
		} else if _, err := fmt.Sscanf(line, "Rss: %d kB", &kib); err == nil && ours {
			bytes += kib << 10
		}
	}
	return bytes
}

// Decoded tensors are not in memory twice: their pages go back, all but the two
// that neighbours may share.
func TestRelease(t *testing.T) {
	const size = 4 * manyElements
	defer func(was bool) { unalignedLoads = was }(unalignedLoads)
	unalignedLoads = false
	_, w, path := onDiskOne(t, false)
	spare := 4 * os.Getpagesize()
	if err := w.CheckFinite(); err != nil {
		t.Fatal(err)
	}
	if got := resident(t, path); got < size {
		t.Errorf("%d bytes resident after a scan of %d: the measurement is wrong", got, size)
	}
	if _, err := w.Float32s(); err != nil {
		t.Fatal(err)
	}
	if got := resident(t, path); got > spare {
		t.Errorf("%d bytes resident after decoding %d", got, size)
	}

	_, view, path := onDiskOne(t, true)
	if _, err := view.Float32s(); err != nil {
		t.Fatal(err)
	}
	if err := view.CheckFinite(); err != nil {
		t.Fatal(err)
	}
	if got := resident(t, path); got < size {
		t.Errorf("%d bytes resident: a view's pages were released", got)
	}
	view.Release()
	if got := resident(t, path); got > spare {
		t.Errorf("%d bytes resident after Release", got)
	}
	if err := view.CheckFinite(); err != nil {
		t.Errorf("read again: %v", err)
	}
}
