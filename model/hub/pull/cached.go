package pull

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/minilm-metal/minilm-metal/model/hub"
)

// knownCommit returns the commit that a revision means according to the cache: a commit is
// itself, and for a branch or tag refs/ has the commit.
func (p *puller) knownCommit() (string, error) {
	if hub.IsCommit(p.revision) {
		return p.revision, nil
	}
	commit, err := p.cache.Ref(p.id, p.revision)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %s has no revision %q", hub.ErrNotFound, p.cache.Repo(p.id), p.revision)
	}
	return commit, err
}

// lacks returns an error that lists the wanted files that the cache does not have for a
// commit. It only checks names.
func (p *puller) lacks(commit string) error {
	s := hub.Snapshot{ID: p.id, Revision: commit, Dir: p.store.snapshot(commit)}
	if _, err := os.Stat(s.Dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s has no snapshot of commit %s", hub.ErrNotFound, p.cache.Repo(p.id), commit)
	}
	if p.files == nil {
		return s.Check(hub.Complete)
	}
	for _, file := range p.files {
		if _, err := fs.Stat(s.FS(), file); err != nil {
			return fmt.Errorf("%w: %s lacks %w", hub.ErrIncomplete, s.Dir, err)
		}
	}
	return nil
}

// cacheAnswers reports whether the cache has all that is wanted, judging by names.
func (p *puller) cacheAnswers() bool {
	commit, err := p.knownCommit()
	return err == nil && p.lacks(commit) == nil
}

// answerFromCache makes no request. It uses the snapshot of the commit that the cache has
// for the revision, if all files are there and complete. If the hub has already named a
// newer commit, an older one does not count.
func (p *puller) answerFromCache(ctx context.Context) error {
	commit, err := p.knownCommit()
	if err != nil {
		return err
	}
	if p.commit != "" && p.commit != commit {
		return fmt.Errorf("it has commit %s of %q, which the hub says is %s", commit, p.revision, p.commit)
	}
	if err := p.lacks(commit); err != nil {
		return err
	}
	p.commit = commit
	files := p.files
	if files == nil {
		if files, err = p.snapshotFiles(); err != nil {
			return err
		}
	}
	for _, file := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		size, ok := p.present(file)
		if !ok {
			return fmt.Errorf("%s is damaged: its bytes are not the ones its name promises", p.store.file(commit, file))
		}
		p.progress(file, size, size)
	}
	return nil
}

// snapshotFiles lists the files of a checkpoint that are in the snapshot.
func (p *puller) snapshotFiles() ([]string, error) {
	fsys, root := p.snapshot().FS(), p.root()
	var files []string
	for _, file := range smallFiles(fsys) {
		if _, err := fs.Stat(fsys, file); err == nil {
			files = append(files, file)
		}
	}
	for _, name := range weightsFiles { // the first one that is there is read, and no other
		name = path.Join(root, name)
		if _, err := fs.Stat(fsys, name); err != nil {
			continue
		}
		if files = append(files, name); path.Ext(name) != ".json" {
			return files, nil
		}
		shards, err := p.shardNames(name)
		for _, shard := range shards {
			files = append(files, path.Join(root, shard))
		}
		return files, err
	}
	return files, nil // Check says that there are no weights
}
