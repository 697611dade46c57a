//go:build unix

package bounded

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A named pipe, which would block who opens it, and a device, which never ends.
func TestNoPipes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := ReadFile(path, 9); !errors.Is(err, ErrNotRegular) || err.Error() != path+": not a regular file (p---------)" {
		t.Errorf("a pipe: %v", err)
	}
	if _, err := ReadFS(os.DirFS(filepath.Dir(path)), "file", 9); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a pipe of a folder: %v", err)
	}
	if _, err := ReadFile("/dev/zero", 9); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a device: %v", err)
	}

	// One that somebody has opened is read, as a shell's <(command) is.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		io.WriteString(w, "text")
		w.Close()
	}()
	if data, err := ReadAll(r, 9); err != nil || string(data) != "text" {
		t.Errorf("an open pipe: %q, %v", data, err)
	}
}
