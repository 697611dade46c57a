//go:build !race

package pickle

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/memorytest"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// hostilePath names, to a child process, the file that it shall read.
const hostilePath = "MINILM_TEST_HOSTILE_PATH"

// readAsChild opens a file, writes its tensors to nowhere, and reports the memory. A path after
// "in place: " is opened so.
func readAsChild(t *testing.T, path string) {
	if path, ok := strings.CutPrefix(path, inPlace); ok {
		dir, name := filepath.Split(path)
		f, err := Format.Open(os.DirFS(dir), name)
		if err == nil {
			err = f.Close()
		}
		memorytest.Report(t, err)
		return
	}
	f, err := Open(path)
	if err == nil {
		err = safetensors.Write(io.Discard, f.Entries(), nil)
		f.Close()
	}
	memorytest.Report(t, err)
}

const inPlace = "in place: "

// peakOf reads the file at path in a process of its own, and returns its error and the most
// memory that the process had, in bytes.
func peakOf(t *testing.T, path string) (message string, peak int64) {
	t.Helper()
	return memorytest.Peak(t, "TestGreedyFiles", hostilePath, path)
}

// mostPeak is what a file may take beyond the process's own: the pickle, a million values,
// and as much again that the collector has not come to.
const mostPeak = 160 << 20

// Files that are made to take memory are refused for what they are, and take little of it.
func TestGreedyFiles(t *testing.T) {
	if path := os.Getenv(hostilePath); path != "" {
		readAsChild(t, path)
		return
	}
	if testing.Short() {
		t.Skip("writes files of 16 MB")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "pytorch_model.bin")
	_, idle := peakOf(t, path) // what the process itself takes: the file is not there
	for _, c := range greedyFiles() {
		t.Run(c.name, func(t *testing.T) {
			write(t, dir, "pytorch_model.bin", c.content())
			message, peak := peakOf(t, path)
			if !strings.Contains(message, c.want) || !strings.HasPrefix(message, "error: pickle: "+path+": ") || len(message) > 2000 {
				t.Errorf("%.3000s, want %s", message, c.want)
			}
			if peak > idle+mostPeak {
				t.Errorf("%d MB, of which %d are the process's", peak>>20, idle>>20)
			}
			message, peak = peakOf(t, inPlace+path)
			if !strings.Contains(message, c.want) || peak > idle+mostPeak {
				t.Errorf("in place: %d MB, of which %d are the process's; %.3000s, want %s", peak>>20, idle>>20, message, c.want)
			}
		})
	}
}

// sparse writes a legacy file whose one storage, of so many floats, takes no place on disk,
// with that tensor over it.
func sparse(t *testing.T, path string, floats int64, sizes, strides string) {
	t.Helper()
	head := legacyOf(pDict("w", pTensor(pStorage("FloatStorage", "0", floats, "N"), 0, sizes, strides)), pKeys("0"), lStorage(floats, ""))
	if err := os.WriteFile(path, head, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(head))+4*floats); err != nil {
		t.Fatal(err)
	}
}

// A tensor is streamed, one that is not row-major is held in memory, and one of those that is
// too large is refused. The legacy format takes 16 MB more: a pickle may fill that.
func TestMemoryOfTensors(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 128 MB")
	}
	path := filepath.Join(t.TempDir(), "pytorch_model.bin")
	_, idle := peakOf(t, path)
	for _, c := range []struct {
		floats         int64
		sizes, strides string
		want           string
		most           int64
	}{
		{32 << 20, pInts(32 << 20), pInts(1), "error: <nil>", 24 << 20},
		{32 << 20, pInts(2, 8<<20), pInts(1, 2), "error: <nil>", 24<<20 + 64<<20},
		{128 << 20, pInts(2, 64<<20), pInts(1, 2), `tensor "w": over the limit: not row-major, and over 536870912 bytes`, 24 << 20},
	} {
		sparse(t, path, c.floats, c.sizes, c.strides)
		if message, peak := peakOf(t, path); !strings.Contains(message, c.want) || peak > idle+c.most {
			t.Errorf("%.300s, %d MB of which %d are the process's; want %s, at most %d MB", message, peak>>20, idle>>20, c.want, c.most>>20)
		}
		// In place, one that is not row-major is held once more, and the pages that it was read
		// from may still be there.
		most := c.most
		if c.sizes != pInts(c.floats) {
			most += 2 * (most - 24<<20)
		}
		if message, peak := peakOf(t, inPlace+path); !strings.Contains(message, c.want) || peak > idle+most {
			t.Errorf("in place: %.300s, %d MB of which %d are the process's; want %s, at most %d MB", message, peak>>20, idle>>20, c.want, most>>20)
		}
	}
}
