package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// lockPoll is how often a wait for another process's lock looks again.
const lockPoll = 100 * time.Millisecond

// store writes one repository's folder in the cache. Every name it is given
// has been checked: ids and revisions by hub.ParseID, commits and etags to be
// hex, files to be local paths.
type store struct {
	cache   string // folder with models--org--name in it
	repo    string // <cache>/models--org--name
	locks   string // <cache>/.locks/models--org--name
	symlink func(target, name string) error
}

func newStore(cache hub.Cache, id string) store {
	return store{
		cache:   cache.Dir,
		repo:    cache.Repo(id),
		locks:   filepath.Join(cache.Dir, ".locks", hub.RepoFolder(id)),
		symlink: os.Symlink,
	}
}

func (s store) blob(etag string) string       { return filepath.Join(s.repo, "blobs", etag) }
func (s store) snapshot(commit string) string { return filepath.Join(s.repo, "snapshots", commit) }
func (s store) absence(commit, file string) string {
	return filepath.Join(s.repo, ".no_exist", commit, filepath.FromSlash(file))
}

// file is where the snapshot shows a file.
func (s store) file(commit, file string) string {
	return filepath.Join(s.snapshot(commit), filepath.FromSlash(file))
}

// linkedEtag returns the etag that a snapshot's link stands for, "" where name
// is no such link.
func (s store) linkedEtag(name string) string {
	target, err := os.Readlink(name)
	if err != nil || !isEtag(filepath.Base(target)) {
		return ""
	}
	return filepath.Base(target)
}

// knownAbsent and markAbsent remember that a commit lacks an optional file, as
// huggingface_hub does. A commit never changes, so the mark stays true.
func (s store) knownAbsent(commit, file string) bool {
	_, err := os.Stat(s.absence(commit, file))
	return err == nil
}

func (s store) markAbsent(commit, file string) error {
	if commit == "" {
		return nil // the server did not say it as a hub does: ask again next time
	}
	return writeFile(s.absence(commit, file), nil)
}

// maxRef bounds what is read of a ref, in bytes: a commit has 40.
const maxRef = 1 << 10

// writeRef records the commit of a branch or tag, over an older record only if
// told to.
func (s store) writeRef(revision, commit string, over bool) error {
	name := filepath.Join(s.repo, "refs", filepath.FromSlash(revision))
	old, err := bounded.ReadFile(name, maxRef)
	if err == nil && (!over || string(old) == commit) {
		return nil
	}
	return writeFile(name, []byte(commit))
}

// writeFile writes a small file whole or not at all, with its folders.
func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // gone already when all went well
	_, err = temporary.Write(data)
	if err := errors.Join(err, temporary.Chmod(0o644), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), name)
}

// lock waits for the sole right to write a blob and returns how to give it up.
// The lock is the one huggingface_hub takes. Where the file system has no locks
// it is nobody's: the hash still guards the content.
func (s store) lock(ctx context.Context, etag string) (unlock func(), err error) {
	if err := os.MkdirAll(s.locks, 0o777); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(s.locks, etag+".lock"), flock.SetPermissions(0o666))
	if _, err := l.TryLockContext(ctx, lockPoll); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	return func() { l.Close() }, nil
}

// link makes the snapshot show a blob under a file's name: by a relative link,
// or, where none can be made, by moving the blob (fresh: nothing else shows it
// yet) or copying it.
func (s store) link(etag, commit, file string, fresh bool) error {
	blob, name := s.blob(etag), s.file(commit, file)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	target, err := filepath.Rel(filepath.Dir(name), blob)
	if err != nil {
		return err
	}
	if old, err := os.Readlink(name); err == nil && old == target {
		return nil
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if s.symlink(target, name) == nil {
		return nil
	}
	if fresh {
		return os.Rename(blob, name)
	}
	return copyFile(blob, name)
}

// copyFile copies from to name, which is whole or not there.
func copyFile(from, name string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	part := from + ".copy"
	copied, err := os.Create(part)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(part)
			err = fmt.Errorf("copying %s: %w", from, err)
		}
	}()
	_, err = io.Copy(copied, source)
	if err := errors.Join(err, copied.Close()); err != nil {
		return err
	}
	return os.Rename(part, name)
}
