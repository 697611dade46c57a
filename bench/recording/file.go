package recording

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// File is the name of a recording in the folder of its reports.
const File = "recording.json"

// Write writes the recording into the folder dir, which it makes if necessary. The file
// appears complete or not at all. Write also writes a recording that is not valid, because
// what was measured cannot be measured again.
func Write(dir string, rec *Recording) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	err := file.Write(filepath.Join(dir, File), func(w io.Writer) error { return file.WriteJSON(w, rec) })
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

// Read reads the recording at path.
func Read(path string) (*Recording, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("bench: %s is not there, and only it has what was measured: %w", path, fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer f.Close()
	data, err := file.Read(f)
	switch {
	case errors.Is(err, bounded.ErrTooLarge), errors.Is(err, bounded.ErrGitLFS):
		return nil, fmt.Errorf("%s: %w: %w", path, ErrInvalid, err)
	case err != nil:
		return nil, fmt.Errorf("bench: %s: %w", path, err)
	}
	rec, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rec, nil
}

// Decode reads a recording, and refuses one that is not valid: see [Recording.Validate].
// All its errors wrap ErrInvalid.
func Decode(data []byte) (*Recording, error) {
	rec := new(Recording)
	if err := file.ReadJSON(data, rec); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := rec.Validate(); err != nil {
		return nil, err
	}
	return rec, nil
}
