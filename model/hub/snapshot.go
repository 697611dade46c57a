package hub

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/modules"
)

// Snapshot is a model found on disk.
type Snapshot struct {
	ID       string // hub id; "" for a directory outside of a cache
	Revision string // commit, 40 hex digits; "" for a directory outside of a cache
	Dir      string // directory with config.json
}

// snapshotAt describes the directory that a user named.
func snapshotAt(dir string) Snapshot {
	s := Snapshot{Dir: filepath.Clean(dir)}
	full, err := filepath.EvalSymlinks(dir)
	if err == nil {
		full, err = filepath.Abs(full)
	}
	if err != nil {
		return s
	}
	if _, repo, commit, ok := splitSnapshot(full); ok {
		if id, ok := repoID(repo); ok {
			s.ID, s.Revision = id, commit
		}
	}
	return s
}

// FS returns the snapshot's files, under the package's rule for links. Files it
// opens are *os.File, so a reader can map them into memory.
func (s Snapshot) FS() fs.FS {
	dir := s.Dir
	if full, err := filepath.Abs(dir); err == nil {
		dir = full // an absolute path shows whether it is inside a cache
	}
	return newFS(dir)
}

// Check returns an ErrIncomplete error that names the missing files of need, or nil.
func (s Snapshot) Check(need Parts) error {
	fsys := s.FS()
	lacks := missing(fsys, need)
	if len(lacks) == 0 {
		return nil
	}
	if len(lacks) == 1 && strings.HasSuffix(lacks[0], WeightsFile) {
		if text := s.otherWeights(fsys); text != "" {
			return &incomplete{text, true}
		}
	}
	text := fmt.Sprintf("%s lacks %s", s.Dir, strings.Join(lacks, ", "))
	if root := modules.Root(fsys); root != "." {
		text += fmt.Sprintf("; %s says that the model is in %s", modules.File, root)
	}
	return &incomplete{text, false}
}

// String names the snapshot for people: id@commit, or its directory.
func (s Snapshot) String() string {
	if s.ID == "" {
		return s.Dir
	}
	return s.ID + "@" + s.Revision
}
