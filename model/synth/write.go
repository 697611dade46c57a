package synth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/minilm-metal/minilm-metal/model/atomicfile"
)

// WriteDir writes the checkpoint's files to dir, which it makes if necessary. If any of the
// files is there already and overwrite is false, it changes nothing and returns an error
// that is fs.ErrExist. Each file appears complete or not at all.
func (c Checkpoint) WriteDir(dir string, overwrite bool) error {
	files, err := c.files()
	if err != nil {
		return err
	}
	if !overwrite {
		for _, f := range files {
			path := filepath.Join(dir, filepath.FromSlash(f.name))
			if _, err := os.Lstat(path); err == nil {
				return fmt.Errorf("synth: %s: %w", path, fs.ErrExist)
			} else if !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("synth: %w", err)
			}
		}
	}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return fmt.Errorf("synth: %w", err)
		}
		err := atomicfile.Write(path, 0o644, func(to *os.File) error {
			_, err := to.Write(f.data())
			return err
		})
		if err != nil {
			return fmt.Errorf("synth: %w", err)
		}
	}
	return nil
}
