package pull

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/hub"
)

// asNobody runs the rest of the test, in the calling goroutine, as a user who
// owns no file, also where the tests run as root, whom no permission stops.
func asNobody(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return // whoever it is, permissions count
	}
	const nobody = 65534
	runtime.LockOSThread()
	if err := syscall.Setfsuid(nobody); err != nil {
		runtime.UnlockOSThread()
		t.Skipf("cannot be another user: %v", err)
	}
	t.Cleanup(func() {
		syscall.Setfsuid(0)
		runtime.UnlockOSThread()
	})
}

// readOnly takes the right to write from all below dir, and gives everybody the
// right to read.
func readOnly(t *testing.T, dir string) {
	t.Helper()
	t.Cleanup(func() { chmod(t, dir, 0o777, 0o666) }) // so that it can be removed
	chmod(t, dir, 0o555, 0o444)
}

func chmod(t *testing.T, dir string, folders, files os.FileMode) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		switch {
		case err != nil:
			return err
		case info.IsDir():
			return os.Chmod(path, folders)
		case info.Mode().IsRegular():
			return os.Chmod(path, files)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// openUp lets everybody through to a temporary folder's content.
func openUp(t *testing.T, dir string) {
	t.Helper()
	for at := dir; at != os.TempDir() && at != filepath.Dir(at); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o777); err != nil {
			t.Fatal(err)
		}
	}
}

// A cache that may only be read serves what it has, and says of what it lacks
// which folder cannot be written.
func TestReadOnlyCache(t *testing.T) {
	r := newRig(t)
	r.mustPull(t)
	openUp(t, r.Cache.Dir)
	if err := os.RemoveAll(filepath.Join(r.Cache.Repo(testID), ".no_exist")); err != nil { // there is something to be marked
		t.Fatal(err)
	}
	// Older versions of huggingface_hub had no locks there, and images are made without.
	if err := os.RemoveAll(filepath.Join(r.Cache.Dir, ".locks")); err != nil {
		t.Fatal(err)
	}
	readOnly(t, r.Cache.Dir)
	asNobody(t)
	for _, revision := range []string{"", testCommit} {
		r.Revision = revision
		r.mustPull(t)
	}
	r.Files = []string{"README.md"}
	if _, err := r.pull(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), r.Cache.Dir) {
		t.Errorf("what is not there: %v", err)
	}
	if len(r.pauses) > 0 {
		t.Errorf("it was tried again after %v", r.pauses)
	}
}

// In a cache that several users write to, another's lock can be taken, and
// another's partial file, which cannot be written, is named.
func TestAnothersCache(t *testing.T) {
	r := newRig(t)
	etag, _ := etagOf(t, hub.ConfigFile)
	lock := filepath.Join(r.Cache.Dir, ".locks", "models--test-org--tiny-reranker", etag+".lock")
	if err := os.MkdirAll(filepath.Dir(lock), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(lock, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	r.plantPart(t, weights()[:1000])
	chmod(t, r.Cache.Dir, 0o777, 0o444)
	openUp(t, r.Cache.Dir)
	asNobody(t)
	if _, err := r.pull(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), r.part(t)) {
		t.Errorf("another's partial file: %v", err)
	}
	if len(r.pauses) > 0 {
		t.Errorf("it was tried again after %v", r.pauses)
	}
}

// A disk that is full ends the pull at once and names the file; with room again,
// another goes on from there. The disk is a limit on the size of files, which is
// a whole process's: the test runs itself once more for it.
func TestFullDisk(t *testing.T) {
	const room = 1 << 20
	if dir := os.Getenv("MINILM_TEST_FULL_DISK"); dir != "" {
		limit := syscall.Rlimit{Cur: room, Max: room}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		_, err := Pull(t.Context(), Options{ID: testID, Endpoint: os.Getenv("HF_ENDPOINT"), Cache: hub.Cache{Dir: dir}})
		fmt.Println(err)
		return
	}
	r := newRig(t)
	again := exec.Command(os.Args[0], "-test.run=^TestFullDisk$")
	again.Env = append(os.Environ(), "MINILM_TEST_FULL_DISK="+r.Cache.Dir, "HF_ENDPOINT="+r.URL)
	said, err := again.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if !strings.Contains(string(said), r.part(t)+": file too large") {
		t.Errorf("it says %s", said)
	}
	if got := r.ranges(); !slices.Equal(got, []string{""}) {
		t.Errorf("it was tried again: %q", got)
	}
	r.mustPull(t)
	if got := r.ranges(); !slices.Equal(got, []string{"bytes=1048576-"}) {
		t.Errorf("with room again it asked for %q", got)
	}
}
