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

// knownCommit returns the commit that the revision means by the cache alone: a
// commit means itself, a branch or tag what refs/ holds of it.
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

// lacks says which wanted files the cache does not have of a commit, looking at
// names alone.
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

// cacheAnswers reports whether the cache has an answer, by the names.
func (p *puller) cacheAnswers() bool {
	commit, err := p.knownCommit()
	return err == nil && p.lacks(commit) == nil
}

// answerFromCache makes no request: the snapshot is the one that the cache knows
// the revision by, if it has all files, whole. What the hub has said of a newer
// commit stands: an older one is no answer then.
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

// snapshotFiles lists the files of a checkpoint that the snapshot shows.
func (p *puller) snapshotFiles() ([]string, error) {
	fsys, root := p.snapshot().FS(), p.root()
	weights := path.Join(root, hub.WeightsFile)
	var files []string
	for _, file := range append(smallFiles(fsys), weights, path.Join(root, hub.IndexFile)) {
		if _, err := fs.Stat(fsys, file); err == nil {
			files = append(files, file)
		}
	}
	if _, err := fs.Stat(fsys, weights); err == nil {
		return files, nil // an index beside the whole file is not read
	}
	shards, err := p.shardNames(root)
	for _, shard := range shards {
		files = append(files, path.Join(root, shard))
	}
	return files, err
}
