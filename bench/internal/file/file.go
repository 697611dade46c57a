// Package file reads and writes the bench's files: bounded in size when they are
// read, whole or not at all when they are written.
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

// largest bounds the size of a report or recording that is read, in bytes.
const largest = 256 << 20

// Read reads all of r. ErrTooLarge and ErrGitLFS of package bounded are in the errors
// of what cannot be a file of the bench; other errors are r's.
func Read(r io.Reader) ([]byte, error) { return bounded.ReadAll(r, largest) }

// Write writes a file at once or not at all. A pipe or a device is written to, not
// replaced by a file.
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

// WriteJSON writes v as the bench's JSON is laid out: indented by a space.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(v)
}
