package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNotFound marks a name that is neither a directory nor in the cache.
var ErrNotFound = errors.New("model not found")

// Open finds the model called name that has the needed parts, in the cache that the
// process's environment names (see DefaultCache), and returns its files. It is the only
// function of this package that reads the environment; Cache.Find and
// Snapshot.FS do the same without.
func Open(name string, need Parts) (fs.FS, Snapshot, error) {
	home, _ := os.UserHomeDir() // without one, the variables or a directory may still serve
	cache, err := DefaultCache(os.Getenv, home)
	if err != nil {
		cache = Cache{}
	}
	s, findErr := cache.Find(name, need)
	if findErr != nil && err != nil {
		findErr = fmt.Errorf("%w (%w)", findErr, err) // why there is no cache to search
	}
	if findErr != nil {
		return nil, Snapshot{}, findErr
	}
	return s.FS(), s, nil
}

// Resolve finds the complete model called name: it is Find with Complete.
func (c Cache) Resolve(name string) (Snapshot, error) { return c.Find(name, Complete) }

// Find finds the model called name that has the needed parts. An existing
// directory of that name is the model. Otherwise name is an id, tried in both
// spellings (see Spellings), with a revision or without:
//
//   - id@revision: the commit that refs/revision holds, or the commit of that
//     name, or the only one that starts so (7 hex digits or more);
//   - id: the commit that refs/main holds, or else the pinned commit (see
//     PinOf), or else the only snapshot there is.
//
// The first of these that has the needed parts is returned. Errors are
// ErrNotFound, ErrIncomplete, ErrRef, ErrID or the operating system's.
func (c Cache) Find(name string, need Parts) (Snapshot, error) {
	if name == "" {
		return Snapshot{}, fmt.Errorf("hub: %w: the name is empty, which is %w", ErrNotFound, ErrID)
	}
	info, statErr := os.Stat(name)
	if statErr == nil {
		if !info.IsDir() {
			return Snapshot{}, fmt.Errorf("hub: %w: %q is a file; give the directory that holds it", ErrNotFound, name)
		}
		s := snapshotAt(name)
		if err := s.Check(need); err != nil {
			if id, ok := repoID(filepath.Base(s.Dir)); ok {
				err = fmt.Errorf("%w; it is the folder of %s in a cache: give that id, or one of its snapshots", err, id)
			}
			return Snapshot{}, fmt.Errorf("hub: %w", err)
		}
		return s, nil
	}
	if why := onlyPath(name); why != "" {
		return Snapshot{}, fmt.Errorf("hub: %w: %s %.200q: %w", ErrNotFound, why, name, reason(statErr))
	}
	id, revision, err := ParseID(name)
	if err != nil {
		return Snapshot{}, fmt.Errorf("hub: %w: no directory (%w), and %w", ErrNotFound, reason(statErr), err)
	}
	return c.findID(id, revision, need)
}

// onlyPath describes a name that can only be meant as a path, not as a hub id; "" for other
// names.
func onlyPath(name string) string {
	switch slash := filepath.ToSlash(name); {
	case strings.HasPrefix(slash, "~"):
		return "no directory (~ is for a shell to replace)"
	case strings.Contains(slash, "://"):
		return "give the id alone, org/name, and not a URL like"
	case filepath.IsAbs(name), filepath.VolumeName(name) != "", strings.HasPrefix(slash, "/"), strings.HasSuffix(slash, "/"),
		slash == ".", slash == "..", strings.HasPrefix(slash, "./"), strings.HasPrefix(slash, "../"):
		return "no directory"
	}
	if target, err := os.Readlink(name); err == nil {
		return fmt.Sprintf("nothing at %.200q, which is where this link leads:", target)
	}
	return ""
}

// without says that a repository has no snapshot of a revision, and lists those that it
// has.
func without(revision string, commits []string) string {
	const most = 5 // that are listed
	switch n := len(commits); {
	case n == 0:
		return "no snapshot"
	case n > most:
		return fmt.Sprintf("no snapshot of revision %s, but of %s and %d more", revision, strings.Join(commits[:most], ", "), n-most)
	}
	return fmt.Sprintf("no snapshot of revision %s, but of %s", revision, strings.Join(commits, ", "))
}

func (c Cache) findID(id, revision string, need Parts) (Snapshot, error) {
	var lacking error
	looked := []string{fmt.Sprintf("no directory %q", id)}
	for _, spelling := range Spellings(id) {
		if c.Dir == "" {
			looked = append(looked, "no Hugging Face cache")
			break
		}
		commits, err := c.commits(spelling)
		if err != nil {
			looked = append(looked, fmt.Sprintf("no snapshot in %s", c.Repo(spelling)))
			if !errors.Is(err, fs.ErrNotExist) {
				return Snapshot{}, fmt.Errorf("hub: %w", err)
			}
			continue
		}
		chosen, err := c.choose(spelling, revision, commits)
		if err != nil {
			return Snapshot{}, fmt.Errorf("hub: %w", err)
		}
		if len(chosen) == 0 {
			looked = append(looked, c.Repo(spelling)+" has "+without(orMain(revision), commits))
		}
		for _, commit := range chosen {
			s := c.snapshot(spelling, commit)
			err := s.Check(need)
			if err == nil {
				return s, nil
			}
			if lacking == nil {
				lacking = err
			}
		}
	}
	wanted := id
	if revision != "" {
		wanted += "@" + revision
	}
	if lacking != nil {
		if why := (*incomplete)(nil); errors.As(lacking, &why) && why.foreign {
			return Snapshot{}, fmt.Errorf("hub: %w", lacking)
		}
		return Snapshot{}, fmt.Errorf(`hub: %w; run "minilm-metal pull %s"`, lacking, wanted)
	}
	return Snapshot{}, fmt.Errorf(`hub: %w: %s; run "minilm-metal pull %s" or give the path of a directory with %s, %s and %s`,
		ErrNotFound, strings.Join(looked, "; "), wanted, ConfigFile, TokenizerFile, WeightsFile)
}

// choose returns the commits that revision may mean, best first.
func (c Cache) choose(id, revision string, commits []string) ([]string, error) {
	var chosen []string
	add := func(commit string) {
		if slices.Contains(commits, commit) && !slices.Contains(chosen, commit) {
			chosen = append(chosen, commit)
		}
	}
	if IsCommit(revision) {
		add(revision)
		return chosen, nil
	}
	commit, err := c.Ref(id, orMain(revision))
	switch {
	case err == nil:
		add(commit)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	switch {
	case revision == "":
		if pin, ok := PinOf(id); ok {
			add(pin.Revision)
		}
		if len(commits) == 1 {
			add(commits[0])
		}
	case len(chosen) == 0 && len(revision) >= minPrefix && isHex(revision):
		for _, commit := range commits {
			if strings.HasPrefix(commit, revision) {
				add(commit)
			}
		}
		if len(chosen) > 1 {
			return nil, fmt.Errorf("%w: revision %q means any of %s", ErrNotFound, revision, strings.Join(chosen, ", "))
		}
	}
	return chosen, nil
}

func orMain(revision string) string {
	if revision == "" {
		return "main"
	}
	return revision
}
