package pull

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// folder is a folder below the cache's, open to be written in. It is held by
// its handle and was reached without a link, and no method follows one: what
// another user of the cache has planted in it cannot lead a write elsewhere.
type folder struct {
	root *os.Root
	name string // its path
}

// openFolder opens the folder below base, making those that are not there. base
// is what the user named as the cache, and may be a link.
func openFolder(base string, below ...string) (folder, error) {
	if err := os.MkdirAll(base, 0o777); err != nil {
		return folder{}, err
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return folder{}, err
	}
	at := folder{root, base}
	for _, name := range below {
		next, err := at.enter(name)
		at.Close()
		if err != nil {
			return folder{}, err
		}
		at = next
	}
	return at, nil
}

func (f folder) Close() error            { return f.root.Close() }
func (f folder) path(name string) string { return filepath.Join(f.name, name) }

// failed puts the whole path into an error, where os.Root has only the name.
func (f folder) failed(op, name string, err error) error {
	if linkErr := (*os.LinkError)(nil); errors.As(err, &linkErr) {
		err = linkErr.Err
	}
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: f.path(name), Err: err}
}

// enter opens a folder in f, made if need be.
func (f folder) enter(name string) (folder, error) {
	seen, err := f.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := f.root.Mkdir(name, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return folder{}, f.failed("mkdir", name, err)
		}
		seen, err = f.root.Lstat(name)
	}
	if err != nil {
		return folder{}, f.failed("open", name, err)
	}
	if !seen.IsDir() {
		return folder{}, fmt.Errorf("%s is no folder but a %s, which nothing is written through", f.path(name), kind(seen))
	}
	root, err := f.root.OpenRoot(name)
	if err != nil {
		return folder{}, f.failed("open", name, err)
	}
	opened, err := root.Stat(".")
	if err == nil && !os.SameFile(seen, opened) {
		err = errors.New("replaced while it was opened")
	}
	if err != nil {
		root.Close()
		return folder{}, f.failed("open", name, err)
	}
	return folder{root, f.path(name)}, nil
}

// kind says what a file that is no folder is.
func kind(info fs.FileInfo) string {
	switch {
	case info.Mode().IsRegular():
		return "file"
	case info.Mode()&fs.ModeSymlink != 0:
		return "link"
	}
	return info.Mode().Type().String()
}

// claim sees to it that name is a plain file, made empty if need be. A link, a
// pipe or the like in its place is taken away.
func (f folder) claim(name string) error {
	for range claims {
		file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return file.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return f.failed("create", name, err)
		}
		seen, err := f.root.Lstat(name)
		if err == nil && seen.Mode().IsRegular() {
			return nil
		}
		if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return f.failed("remove", name, err)
		}
	}
	return fmt.Errorf("%s is replaced again and again", f.path(name))
}

// claims is how often claim and open take away what stands in their place:
// more than once only while somebody keeps putting it there.
const claims = 3

// open opens a plain file to write to, made empty if need be. A file of further
// names is as bad as a link: it is taken away, and its other names keep what
// they have.
func (f folder) open(name string) (*os.File, error) {
	for range claims {
		if err := f.claim(name); err != nil {
			return nil, err
		}
		seen, err := f.root.Lstat(name)
		if err != nil {
			return nil, f.failed("open", name, err)
		}
		file, err := f.root.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, f.failed("open", name, err)
		}
		// os.Root may have followed a link put there meanwhile, within the cache:
		// then it is not the file that was seen.
		opened, err := file.Stat()
		if err == nil && opened.Mode().IsRegular() && os.SameFile(seen, opened) && hardLinks(opened) <= 1 {
			return file, nil
		}
		file.Close()
		if err := f.remove(name); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s is replaced again and again", f.path(name))
}

// put makes name a file of the given content, whole or not at all. It takes the
// place of a link, whose target stays as it is.
func (f folder) put(name string, content io.Reader) (err error) {
	temporary := ".tmp-" + rand.Text()
	file, err := f.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return f.failed("create", temporary, err)
	}
	defer func() {
		if err != nil {
			f.root.Remove(temporary)
			err = f.failed("write", name, err)
		}
	}()
	_, err = io.Copy(file, content)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return f.root.Rename(temporary, name)
}

// rename moves a file within f, over what has the new name.
func (f folder) rename(from, to string) error {
	return f.failed("rename", to, f.root.Rename(from, to))
}

// remove removes a file or a link, if there is one.
func (f folder) remove(name string) error {
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f.failed("remove", name, err)
	}
	return nil
}
