//go:build unix

package safetensors

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A mapped file that somebody truncates must cost an error, not the process.
func TestTruncatedWhileMapped(t *testing.T) {
	const n = 1 << 20
	var b bytes.Buffer
	if err := Write(&b, []Entry{{Name: "w", DType: F32, Shape: []int{n}, Data: make([]byte, 4*n)}}, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, _ := f.Lookup("w")
	values, err := w.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	var sum float32
	err = f.Guard(func() error {
		for _, v := range values {
			sum += v
		}
		return nil
	})
	if !errors.Is(err, ErrTruncated) {
		t.Errorf("reading it: %v", err)
	}
	if err := w.CheckFinite(); !errors.Is(err, ErrTruncated) {
		t.Errorf("CheckFinite: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("another panic was swallowed")
		}
	}()
	f.Guard(func() error { panic("not a fault") })
}
