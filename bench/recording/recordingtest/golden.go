package recordingtest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Golden compares what a test made with a file of its package's testdata, and writes that
// file first if update says so. Line ends may be those of Windows.
func Golden(t *testing.T, name string, got []byte, update bool) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))) {
		t.Errorf("%s has changed; see `go test -update` in its package, and git diff. It is now\n%s", path, got)
	}
}
