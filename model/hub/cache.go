package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// ErrRef marks a file below refs/ that does not hold a commit.
var ErrRef = errors.New("damaged ref")

const repoPrefix = "models--"

// Cache is a Hugging Face cache on this machine. The zero Cache holds nothing;
// directories still resolve through it.
type Cache struct {
	Dir string // the folder with models--org--name in it
}

// Repo returns the folder of an id that ParseID has accepted:
// <cache>/models--org--name.
func (c Cache) Repo(id string) string {
	return filepath.Join(c.Dir, RepoFolder(id))
}

// RepoFolder returns the name of an id's folder: models--org--name.
func RepoFolder(id string) string {
	return repoPrefix + strings.ReplaceAll(id, "/", "--")
}

// repoID is the reverse of RepoFolder.
func repoID(folder string) (string, bool) {
	rest, ok := strings.CutPrefix(folder, repoPrefix)
	if !ok {
		return "", false
	}
	id, revision, err := ParseID(strings.Replace(rest, "--", "/", 1))
	return id, err == nil && revision == ""
}

// splitSnapshot takes <cache>/models--org--name/snapshots/<commit> apart.
func splitSnapshot(dir string) (cache, repo, commit string, ok bool) {
	snapshots, commit := filepath.Split(filepath.Clean(dir))
	folder, middle := filepath.Split(filepath.Clean(snapshots))
	cache, repo = filepath.Split(filepath.Clean(folder))
	if middle != "snapshots" || !IsCommit(commit) {
		return "", "", "", false
	}
	_, ok = repoID(repo)
	return filepath.Clean(cache), repo, commit, ok
}

// List returns every snapshot in the cache, complete or not (see
// Snapshot.Check), sorted by id and commit. A cache that does not exist is
// empty.
func (c Cache) List() ([]Snapshot, error) {
	if c.Dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	var found []Snapshot
	for _, entry := range entries {
		id, ok := repoID(entry.Name())
		if !ok {
			continue
		}
		commits, err := c.commits(id)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("hub: %w", err)
		}
		for _, commit := range commits {
			found = append(found, c.snapshot(id, commit))
		}
	}
	slices.SortFunc(found, func(a, b Snapshot) int {
		return strings.Compare(a.String(), b.String())
	})
	return found, nil
}

func (c Cache) snapshot(id, commit string) Snapshot {
	return Snapshot{ID: id, Revision: commit, Dir: filepath.Join(c.Repo(id), "snapshots", commit)}
}

// commits returns the commits of which the cache has a snapshot, sorted.
func (c Cache) commits(id string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(c.Repo(id), "snapshots"))
	if err != nil {
		return nil, err
	}
	var commits []string
	for _, entry := range entries {
		if IsCommit(entry.Name()) && entry.IsDir() {
			commits = append(commits, entry.Name())
		}
	}
	return commits, nil
}

// Ref returns the commit that the cache knows a branch or tag by, or
// fs.ErrNotExist. Both arguments must come from ParseID.
func (c Cache) Ref(id, revision string) (string, error) {
	file, err := os.OpenInRoot(c.Repo(id), filepath.Join("refs", filepath.FromSlash(revision)))
	if errors.Is(err, syscall.ENOTDIR) { // "main/x" where "main" is a ref
		return "", fs.ErrNotExist
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return "", err
	} else if info.IsDir() { // "refs" where "refs/pr/1" exists
		return "", fs.ErrNotExist
	}
	const enough = 4 * commitLen
	data, err := bounded.ReadAll(file, enough)
	commit := ""
	if err == nil {
		commit, err = parseRef(data)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrRef, filepath.Join(c.Repo(id), "refs", filepath.FromSlash(revision)), err)
	}
	return commit, nil
}

// parseRef reads the content of a ref: a commit, and perhaps a newline.
func parseRef(data []byte) (string, error) {
	commit := strings.TrimRight(string(data), "\r\n")
	if !IsCommit(commit) {
		return "", fmt.Errorf("holds %.100q, want a commit of %d hex digits", commit, commitLen)
	}
	return commit, nil
}
