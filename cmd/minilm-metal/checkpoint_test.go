package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A config.json that is none, for its size, is not read by whatever looks into it.
func TestLargeConfigIsNotRead(t *testing.T) {
	t.Chdir(t.TempDir()) // bench asks whether it could write its report here
	dir := filepath.Join(t.TempDir(), "model")
	ok(t, "", "synth", "--out", dir, "--layers", "1", "--hidden", "32", "--heads", "2", "--intermediate", "64")
	const size = 64 << 20
	text := append(bytes.Repeat([]byte(" "), size), "{}"...)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"info"}, {"info", "--device", "metal", "--model-chip", "M1"}, {"score"}, {"rank", "a query"}, {"bench"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		call(t, "a\tb\n", append(args, "--model", dir)...).want(t, failed, "config.json: too large: 67108866 bytes, at most 1048576 are read")
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > size/2 {
			t.Errorf("%q: %d MB allocated for a config.json of %d", args, got>>20, size>>20)
		}
	}
}
