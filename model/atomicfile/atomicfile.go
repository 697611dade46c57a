// Package atomicfile writes files so that they appear complete or not at all.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Write creates a new file in path's folder, calls write to fill it, and then renames it to
// path, with the permissions perm. So whoever opens path finds either the old file or the
// complete new one. If anything fails, the old file remains and the new one is removed.
// Errors name a file; write's errors are wrapped.
//
// This protects against programs that end early. It does not protect against a machine that
// crashes, because nothing waits for the disk.
func Write(path string, perm fs.FileMode, write func(f *os.File) error) (err error) {
	// The temporary name begins with a dot and path's name: a file left by a killed program
	// is hidden, and one can see what it was for.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if why := (*fs.PathError)(nil); errors.As(err, &why) {
		return &fs.PathError{Op: "create", Path: path, Err: why.Err} // the caller does not know the temporary name
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close() // closing twice does no harm
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// Some file systems have no permissions.
	if err := f.Chmod(perm); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
