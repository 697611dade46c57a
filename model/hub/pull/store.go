package pull

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/minilm-metal/minilm-metal/model/hub"
)

// lockPoll is the interval at which a lock that another process holds is tried again.
const lockPoll = 100 * time.Millisecond

// store is a repository's folder in the cache. All names that it gets have been checked:
// ids and revisions by hub.ParseID, commits and etags to be hex, files to be local paths.
// It reads by path, following links as package hub does, and writes through a folder, which
// follows none.
type store struct {
	cache   hub.Cache
	id      string
	repo    string // <cache>/models--org--name
	symlink func(in *os.Root, target, name string) error
	tryLock func(ctx context.Context, name string) (unlock func(), err error)
}

func newStore(cache hub.Cache, id string) store {
	return store{cache: cache, id: id, repo: cache.Repo(id), symlink: (*os.Root).Symlink, tryLock: tryLock}
}

func (s store) blob(etag string) string       { return filepath.Join(s.repo, "blobs", etag) }
func (s store) snapshot(commit string) string { return filepath.Join(s.repo, "snapshots", commit) }

// file returns the path of a file in a snapshot.
func (s store) file(commit, file string) string {
	return filepath.Join(s.snapshot(commit), filepath.FromSlash(file))
}

// folder opens one of the repository's folders for writing. The last element of below may
// be a path with slashes, or "." for none.
func (s store) folder(below ...string) (folder, error) {
	parts := []string{hub.RepoFolder(s.id)}
	for _, part := range below {
		if part != "." {
			parts = append(parts, strings.Split(part, "/")...)
		}
	}
	return openFolder(s.cache.Dir, parts...)
}

// linkedEtag returns the etag to which a snapshot's link leads, or "" if name is not such a
// link.
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
	_, err := os.Stat(filepath.Join(s.repo, ".no_exist", commit, filepath.FromSlash(file)))
	return err == nil
}

// markAbsent may fail without harm: then the hub is asked again next time. It does nothing
// if commit is "", because then the server does not speak as a hub does.
func (s store) markAbsent(commit, file string) {
	if commit == "" {
		return
	}
	if dir, err := s.folder(".no_exist", commit, path.Dir(file)); err == nil {
		defer dir.Close()
		dir.put(path.Base(file), strings.NewReader(""))
	}
}

// writeRef records the commit of a branch or tag. It replaces an older record only if over
// is true.
func (s store) writeRef(revision, commit string, over bool) error {
	old, err := s.cache.Ref(s.id, revision)
	switch {
	case err == nil && old == commit:
		return nil
	case !over && !errors.Is(err, fs.ErrNotExist):
		return nil
	}
	dir, err := s.folder("refs", path.Dir(revision))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.put(path.Base(revision), strings.NewReader(commit))
}

// lock waits for the exclusive right to write a blob, and returns a function that gives it
// up. It is the same lock as huggingface_hub's. On a file system without locks it does
// nothing; the hash still protects the content.
func (s store) lock(ctx context.Context, etag string) (unlock func(), err error) {
	dir, err := openFolder(s.cache.Dir, ".locks", hub.RepoFolder(s.id))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	name := etag + ".lock"
	for range claims { // whoever gives up a lock may remove its file
		if err := dir.claim(name); err != nil {
			return nil, err
		}
		if unlock, err = s.tryLock(ctx, dir.path(name)); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return func() {}, nil
	}
	return unlock, err
}

// tryLock waits for the lock on a file. It opens the file for reading and does not create
// it: if a link has replaced the file, the link's target is locked, and nothing is created
// or changed through it.
func tryLock(ctx context.Context, name string) (unlock func(), err error) {
	l := flock.New(name, flock.SetFlag(os.O_RDONLY))
	if _, err := l.TryLockContext(ctx, lockPoll); err != nil {
		return nil, err
	}
	return func() { l.Close() }, nil
}

// link shows a blob in the snapshot under a file's name: by a relative link or, if that is
// not possible, by moving the blob (if fresh is true: nothing else uses it yet) or by
// copying it.
func (s store) link(etag, commit, file string, fresh bool) error {
	blob, name := s.blob(etag), path.Base(file)
	dir, err := s.folder("snapshots", commit, path.Dir(file))
	if err != nil {
		return err
	}
	defer dir.Close()
	target, err := filepath.Rel(dir.name, blob)
	if err != nil {
		return err
	}
	if old, err := dir.root.Readlink(name); err == nil && old == target {
		return nil
	}
	if err := dir.remove(name); err != nil {
		return err
	}
	if s.symlink(dir.root, target, name) == nil {
		return nil
	}
	if fresh { // both ends are in folders that were just opened without links
		repo, err := s.folder()
		if err != nil {
			return err
		}
		defer repo.Close()
		return repo.rename(path.Join("blobs", etag), path.Join("snapshots", commit, file))
	}
	source, err := os.Open(blob)
	if err != nil {
		return err
	}
	defer source.Close()
	return dir.put(name, source)
}
