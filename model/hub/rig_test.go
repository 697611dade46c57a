package hub

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

const (
	minilm  = "cross-encoder/ms-marco-MiniLM-L-6-v2"
	minilm6 = "cross-encoder/ms-marco-MiniLM-L6-v2"
	oldRev  = "1111111111111111111111111111111111111111"
	newRev  = "1111111aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)

// write makes a file and its parents below dir.
func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// link makes a symbolic link, or skips the test where none can be made.
func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.FromSlash(target), path); err != nil {
		if runtime.GOOS == "windows" {
			t.Skipf("no symbolic links here: %v", err)
		}
		t.Fatal(err)
	}
}

var completeFiles = []string{ConfigFile, TokenizerFile, WeightsFile}

// store puts a snapshot of files into the cache as huggingface_hub does, with
// links to blobs. Each file holds its own name.
func store(t *testing.T, c Cache, id, commit string, files ...string) string {
	t.Helper()
	dir := c.snapshot(id, commit).Dir
	for _, file := range files {
		write(t, filepath.Join(c.Repo(id), "blobs", "etag-of-"+file), file)
		link(t, "../../blobs/etag-of-"+file, filepath.Join(dir, file))
	}
	return dir
}

func ref(t *testing.T, c Cache, id, name, content string) {
	t.Helper()
	write(t, filepath.Join(c.Repo(id), "refs", filepath.FromSlash(name)), content)
}
