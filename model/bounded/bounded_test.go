package bounded

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

func write(t *testing.T, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// same checks that a file is read alike from a path and from file systems of both kinds.
func same(t *testing.T, content string, limit int64, is error, want string) {
	t.Helper()
	path := write(t, content)
	for how, read := range map[string]func() ([]byte, error){
		"ReadFile":           func() ([]byte, error) { return ReadFile(path, limit) },
		"ReadFS of a folder": func() ([]byte, error) { return ReadFS(os.DirFS(filepath.Dir(path)), "file", limit) },
		"ReadFS of memory":   func() ([]byte, error) { return ReadFS(fstest.MapFS{"file": {Data: []byte(content)}}, "file", limit) },
	} {
		data, err := read()
		switch {
		case is == nil && (err != nil || string(data) != content):
			t.Errorf("%s: %d bytes of %d, %v", how, len(data), len(content), err)
		case is != nil && (!errors.Is(err, is) || !strings.HasSuffix(err.Error(), "file: "+want) || data != nil):
			t.Errorf("%s: %d bytes, error %v, want %s", how, len(data), err, want)
		}
	}
}

func TestRead(t *testing.T) {
	const limit = 4096
	for _, size := range []int{0, 1, 511, 512, 513, limit - 1, limit} {
		same(t, strings.Repeat("x", size), limit, nil, "")
	}
	same(t, strings.Repeat("x", limit+1), limit, ErrTooLarge, "too large: 4097 bytes, at most 4096 are read")
	same(t, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", limit, ErrGitLFS, ErrGitLFS.Error())
	same(t, "version https://git-lfs.github.com/", limit, nil, "") // says nothing
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadFile(dir, 9); !errors.Is(err, ErrNotRegular) || err.Error() != dir+": not a regular file (d---------)" {
		t.Errorf("a directory: %v", err)
	}
	if _, err := ReadFS(fstest.MapFS{"d/file": {}}, "d", 9); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a directory of a file system: %v", err)
	}
	if _, err := ReadFile(filepath.Join(dir, "none"), 9); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none") {
		t.Errorf("no file: %v", err)
	}
	if _, err := ReadFS(os.DirFS(dir), "../x", 9); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("outside: %v", err)
	}
}

// fake is a file that says one size and has another.
type fake struct {
	fs.FileInfo // that of a regular file
	size        int64
	content     io.Reader
	read        int // bytes
	opened      int // and not closed
}

func (f *fake) Open(string) (fs.File, error) { f.opened++; return f, nil }
func (f *fake) Stat() (fs.FileInfo, error)   { return f, nil }
func (f *fake) Mode() fs.FileMode            { return 0 }
func (f *fake) Size() int64                  { return f.size }
func (f *fake) Close() error                 { f.opened--; return nil }
func (f *fake) Read(p []byte) (int, error) {
	n, err := f.content.Read(p)
	f.read += n
	return n, err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// What is too large is not read, what grows is read up to the limit, and what fails
// leaves nothing open.
func TestSizes(t *testing.T) {
	const limit = 1 << 16
	failure := errors.New("bad sector")
	for _, c := range []struct {
		name     string
		size     int64
		content  io.Reader
		is       error
		mostRead int
	}{
		{"too large", 1 << 40, zeros{}, ErrTooLarge, 0},
		{"endless, of size 0", 0, zeros{}, ErrTooLarge, limit + 1},
		{"endless, of some size", 100, zeros{}, ErrTooLarge, limit + 1},
		{"grown", 3, strings.NewReader(strings.Repeat("x", 1000)), nil, 1000},
		{"shrunk", 3000, strings.NewReader("x"), nil, 1},
		{"broken", 3000, io.MultiReader(strings.NewReader("x"), broken{failure}), failure, 1},
	} {
		f := &fake{size: c.size, content: c.content}
		data, err := ReadFS(f, "x", limit)
		if !errors.Is(err, c.is) || c.is == nil && len(data) != c.mostRead || f.read > c.mostRead || f.opened != 0 {
			t.Errorf("%s: %d bytes, %d read, %d left open, error %v", c.name, len(data), f.read, f.opened, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "x: ") {
			t.Errorf("%s: %v does not name the file", c.name, err)
		}
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// A file takes the memory that it has bytes.
func TestReadsOnce(t *testing.T) {
	const size = 8 << 20
	path := write(t, strings.Repeat("x", size))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	data, err := ReadFile(path, size)
	runtime.ReadMemStats(&after)
	if err != nil || len(data) != size {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > size+size/8 {
		t.Errorf("%d bytes allocated for a file of %d", got, size)
	}
}

// A reader that is no file, as of a gzip, has no size to go by.
func TestReadAll(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 1000)
	for _, limit := range []int64{9999, 10000, 10001} {
		data, err := ReadAll(struct{ io.Reader }{bytes.NewReader(content)}, limit)
		if limit < 10000 != errors.Is(err, ErrTooLarge) || err == nil && !bytes.Equal(data, content) {
			t.Errorf("limit %d: %d bytes, %v", limit, len(data), err)
		}
	}
}
