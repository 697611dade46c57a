// Package atomicfile writes files that appear whole or not at all.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Write has write fill a new file in path's folder, which then takes path's place with
// the permissions perm. Whoever opens path finds what was there before, or all of the new
// file; where anything fails, what was there before is left, and nothing beside it. Errors
// name a file, and write's are wrapped.
//
// This holds against programs that end early, and not against a machine that does: nothing
// waits for the disk.
func Write(path string, perm fs.FileMode, write func(f *os.File) error) (err error) {
	// With a dot and after it the name, so that a file that a killed program leaves is
	// hidden and can be told from others.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close() // a second Close does no harm
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// File systems without permissions have nothing to set.
	if err := f.Chmod(perm); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
