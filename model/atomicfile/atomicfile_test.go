package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// names are those of the files in a folder.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, text := range []string{"first", "the second, which is longer", ""} {
		err := Write(path, 0o640, func(f *os.File) error {
			if filepath.Dir(f.Name()) != dir {
				t.Errorf("%s is made in another folder, whose file may not be movable", f.Name())
			}
			_, err := f.WriteString(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("%q, %v, want %q", got, err, text)
		}
	}
	if got := names(t, dir); got != "file" {
		t.Errorf("the folder has %s", got)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("permissions %v", info.Mode())
	}
}

// What was there stays, and nothing is left beside it.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	over := errors.New("the pen is empty")
	err := Write(path, 0o644, func(f *os.File) error {
		if _, err := f.WriteString("half of the ne"); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "before" {
			t.Errorf("while it is written: %q, %v", got, err)
		}
		return over
	})
	if !errors.Is(err, over) || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("%v, want the file's name and %v", err, over)
	}
	// A file that is closed already cannot be finished.
	if err := Write(path, 0o644, func(f *os.File) error { return f.Close() }); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "before" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
	// A folder in the file's place cannot be replaced.
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	fill := func(f *os.File) error { return nil }
	if err := Write(filepath.Join(dir, "folder"), 0o644, fill); err == nil {
		t.Error("a folder was replaced")
	}
	if err := Write(filepath.Join(dir, "missing", "file"), 0o644, fill); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if got := names(t, dir); got != "file folder" {
		t.Errorf("the folder has %s", got)
	}
}
