package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// dirFS is the file system of a model's directory, under the package's rule for links. It
// holds no file descriptor and needs no Close. The files that it opens are *os.File.
type dirFS struct {
	root string // no file outside this folder is opened, ...
	sub  string // the model's folder in root: a slash path
	vows bool   // ... except known names, if this is set: they may be links to anywhere
}

// newFS returns the file system of the model in dir.
func newFS(dir string) fs.FS {
	// The links in a snapshot are relative to its real place, which differs from dir if dir
	// is a user's own link to it. If a path cannot be resolved it is used as it is: opening
	// it reports what is wrong.
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if cache, repo, commit, ok := splitSnapshot(dir); ok {
		return dirFS{root: cache, sub: path.Join(repo, "snapshots", commit)}
	}
	return dirFS{root: dir, sub: ".", vows: true}
}

// Open implements fs.FS. It opens only regular files and directories: a pipe would block
// its reader, and a device never ends.
func (d dirFS) Open(name string) (fs.File, error) {
	file, err := d.open(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return file, nil
}

func (d dirFS) open(name string) (*os.File, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	if d.vows && known(name) {
		full := filepath.Join(d.root, name)
		info, err := os.Stat(full)
		if err != nil {
			return nil, reason(err)
		}
		if err := openable(info); err != nil {
			return nil, err
		}
		file, err := os.Open(full)
		return file, reason(err)
	}

	root, err := os.OpenRoot(d.root)
	if err != nil {
		return nil, reason(err)
	}
	defer root.Close()
	local := filepath.FromSlash(path.Join(d.sub, name))
	info, err := root.Stat(local)
	if err != nil {
		link, linkErr := root.Lstat(local)
		if linkErr == nil && link.Mode()&fs.ModeSymlink != 0 && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("a link that leads out of %s is not followed: %w", d.root, reason(err))
		}
		return nil, reason(err)
	}
	if err := openable(info); err != nil {
		return nil, err
	}
	file, err := root.Open(local)
	return file, reason(err)
}

func openable(info fs.FileInfo) error {
	if info.Mode().IsRegular() || info.IsDir() {
		return nil
	}
	return fmt.Errorf("not a regular file but %s", info.Mode().Type())
}

// reason returns the error inside a PathError, because the caller names the path itself.
func reason(err error) error {
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
