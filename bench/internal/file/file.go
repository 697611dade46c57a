// Package file reads and writes the bench's files. It reads only files of limited size, and
// what it writes appears complete or not at all.
package file

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/minilm-metal/minilm-metal/model/atomicfile"
	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// largest is the largest size of a report or recording that is read, in bytes.
const largest = 256 << 20

// Read reads all of r. If r cannot be a file of the bench, the error wraps ErrTooLarge or
// ErrGitLFS of package bounded; other errors are r's.
func Read(r io.Reader) ([]byte, error) { return bounded.ReadAll(r, largest) }

// Write writes a file so that it appears complete or not at all. A pipe or a device is
// written to directly, not replaced by a file.
func Write(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	return atomicfile.Write(path, 0o644, func(f *os.File) error { return write(f) })
}

// WriteJSON writes v as JSON, indented by a space as all of the bench's files.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(v)
}
