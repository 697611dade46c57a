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

// folder is a folder in the cache, open for writing. It is held by its handle and was
// reached without links, and no method follows a link. So whatever another user of the
// cache has put there cannot direct a write elsewhere.
type folder struct {
	root *os.Root
	name string // its path
}

// openFolder opens the folder at below in base, and makes missing folders. base is what the
// user named as the cache, and may be a link.
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

// failed adds the whole path to an error, in which os.Root has only the name.
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

// kind names the type of a file that is not a folder.
func kind(info fs.FileInfo) string {
	switch {
	case info.Mode().IsRegular():
		return "file"
	case info.Mode()&fs.ModeSymlink != 0:
		return "link"
	}
	return info.Mode().Type().String()
}

// claim makes sure that name is a plain file; it makes an empty one if necessary. A link, a
// pipe or the like in its place is removed.
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

// claims is how often claim and open remove what is in their way. More than once is
// necessary only while somebody keeps putting something there.
const claims = 3

// open opens a plain file for writing; it makes an empty one if necessary. A file with
// several names is as dangerous as a link: it is removed here, and keeps its content under
// its other names.
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
		// If a link inside the cache was put there meanwhile, os.Root has followed it. Then
		// this is not the file that was checked.
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

// put writes a file so that it appears complete or not at all. If name is a link, put
// replaces the link and does not touch its target.
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

// rename moves a file inside f. It replaces a file that has the new name.
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
