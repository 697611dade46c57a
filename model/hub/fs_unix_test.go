//go:build unix

package hub

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A pipe in a file's place is an error, not a hang.
func TestFSRefusesPipes(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{ConfigFile, "shard.safetensors"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o666); err != nil {
			t.Skipf("no pipes here: %v", err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := Snapshot{Dir: dir}.FS().Open(name)
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "not a regular file") {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: opening hangs", name)
		}
	}
}
