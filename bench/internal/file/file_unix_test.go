//go:build unix

package file

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe gets what is written to it, and is a pipe afterwards.
func TestWriteFileToPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	// Open for both, neither end waits for the other.
	r, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := Write(path, func(w io.Writer) error { _, err := fmt.Fprint(w, "text"); return err }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Fatalf("%v, %v: the pipe was replaced", info.Mode(), err)
	}
	text := make([]byte, 4)
	if _, err := io.ReadFull(r, text); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
}
