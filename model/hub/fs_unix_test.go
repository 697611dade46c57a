//go:build unix

package hub

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe in a file's place is an error. Opening it would hang, until the test
// binary's own time is over.
func TestFSRefusesPipes(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{ConfigFile, "shard.safetensors"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o666); err != nil {
			t.Skipf("no pipes here: %v", err)
		}
		if _, err := (Snapshot{Dir: dir}).FS().Open(name); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
