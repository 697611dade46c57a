//go:build unix

package safetensors

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"
)

const manyElements = 1 << 20 // of 4 bytes: many pages, of any size

// onDiskOne maps a file with a tensor "w" of F32, aligned or not.
func onDiskOne(t *testing.T, aligned bool) (f *File, w *Tensor, path string) {
	t.Helper()
	layout := Layout{Align: 64}
	if !aligned {
		layout = Layout{HeaderBytes: 130}
	}
	text, err := encode(layout, []Entry{{Name: "w", DType: F32, Shape: []int{manyElements}, Data: make([]byte, 4*manyElements)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	path = write(t, "w.safetensors", text)
	f, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	w, _ = f.Lookup("w")
	return f, w, path
}

// A mapped file that somebody truncates must cost an error, not the process.
func TestTruncatedWhileMapped(t *testing.T) {
	for name, left := range map[string]func(size int64) int64{
		"to nothing": func(int64) int64 { return 0 },
		"to a page":  func(int64) int64 { return int64(os.Getpagesize()) },
		"by a byte":  func(size int64) int64 { return size - 1 }, // no fault: zeros are read
	} {
		for how, read := range map[string]func(f *File, w *Tensor, view []float32) error{
			"Float32s": func(_ *File, w *Tensor, _ []float32) error {
				_, err := w.Float32s()
				return err
			},
			"CheckFinite": func(_ *File, w *Tensor, _ []float32) error { return w.CheckFinite() },
			"Guard of bytes": func(f *File, w *Tensor, _ []float32) error {
				return f.Guard(func() error {
					copy(make([]byte, len(w.Data())), w.Data())
					return nil
				})
			},
			"Guard of a view": func(f *File, _ *Tensor, view []float32) error {
				return f.Guard(func() error {
					var sum float32
					for _, v := range view {
						sum += v
					}
					runtime.KeepAlive(sum)
					return nil
				})
			},
		} {
			for _, aligned := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/aligned %t", name, how, aligned), func(t *testing.T) {
					f, w, path := onDiskOne(t, aligned)
					view, err := w.Float32s()
					if err != nil {
						t.Fatal(err)
					}
					if how == "Guard of a view" && !aligned && !unalignedLoads {
						return // a copy
					}
					size := w.Offset + int64(len(w.Data()))
					if err := os.Truncate(path, left(size)); err != nil {
						t.Fatal(err)
					}
					err = read(f, w, view)
					want := fmt.Sprintf("safetensors: %s: truncated while in use: %d bytes are left of %d", path, left(size), size)
					if !errors.Is(err, ErrTruncated) || err.Error() != want {
						t.Errorf("error %v, want %s", err, want)
					}
				})
			}
		}
	}
}

// Of several files, the one that was truncated is named.
func TestTruncatedShard(t *testing.T) {
	fsys, _ := shards(t)
	dir := onDisk(t, fsys)
	f, err := OpenCheckpoint(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const second = "model-00002-of-00003.safetensors"
	if err := os.Truncate(dir+"/"+second, 0); err != nil {
		t.Fatal(err)
	}
	err = f.Guard(func() error {
		for _, tensor := range f.tensors {
			_ = strings.Clone(string(tensor.Data()))
		}
		return nil
	})
	if !errors.Is(err, ErrTruncated) || !strings.HasPrefix(err.Error(), "safetensors: "+second+": ") {
		t.Error(err)
	}
	for name, tensor := range f.tensors {
		if tensor.DType != F32 {
			continue
		}
		if err := tensor.CheckFinite(); errors.Is(err, ErrTruncated) != (tensor.File == second) {
			t.Errorf("%q of %s: %v", name, tensor.File, err)
		}
	}
}

// Guard converts the faults of its own files, nothing else.
func TestGuardPassesOthers(t *testing.T) {
	f, w, _ := onDiskOne(t, true)
	_, other, otherPath := onDiskOne(t, true)
	if err := os.Truncate(otherPath, 0); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("mine")
	if err := f.Guard(func() error { return failure }); err != failure {
		t.Errorf("the caller's error became %v", err)
	}
	for name, read := range map[string]func(){
		"a value":       func() { panic(failure) },
		"nil pointer":   func() { w = nil; _ = w.Name },
		"out of range":  func() { _ = make([]byte, 1)[len(os.Args)] },
		"another fault": func() { _ = strings.Clone(string(other.Data())) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: the panic was swallowed", name)
				}
			}()
			err := f.Guard(func() error { read(); return nil })
			t.Errorf("%s: returned %v", name, err)
		}()
	}
	if debug.SetPanicOnFault(false) {
		t.Error("Guard leaves the goroutine changed")
	}
}

// A named pipe would block who opens it.
func TestOpenRefusesPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(dir+"/"+Own.Single, 0o600); err != nil {
		t.Skip(err)
	}
	for _, open := range []func() (*File, error){
		func() (*File, error) { return Open(dir + "/" + Own.Single) },
		func() (*File, error) { return OpenFS(os.DirFS(dir), Own.Single) },
		func() (*File, error) { return OpenCheckpoint(os.DirFS(dir)) },
	} {
		if _, err := open(); err == nil || !strings.Contains(err.Error(), "not a regular file (p---------)") {
			t.Error(err)
		}
	}
}

// A mapped file that somebody writes to is an error to whoever has read it, and to nobody
// who has not.
func TestChangedWhileMapped(t *testing.T) {
	later := func(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) }
	overwrite := func(path string) error {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteAt([]byte("\x00\x00\x80\x3f"), 4096)
			err = errors.Join(err, f.Close(), later(path)) // the clock may have stood still
		}
		return err
	}
	for name, c := range map[string]struct {
		change func(path string) error
		want   string // of the error; "": none
	}{
		"written to": {overwrite, "it was written to at 2"},
		"touched":    {later, "it was written to at 2"},
		"grown":      {func(path string) error { return os.Truncate(path, 5<<20) }, "it has 5242880 bytes, and had 41"},
		"replaced": {func(path string) error {
			return errors.Join(os.WriteFile(path+".new", []byte("new"), 0o600), os.Rename(path+".new", path))
		}, ""},
		"made executable": {func(path string) error { return os.Chmod(path, 0o700) }, ""},
		"linked":          {func(path string) error { return os.Link(path, path+".link") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, w, path := onDiskOne(t, true)
			if err := c.change(path); err != nil {
				t.Fatal(err)
			}
			_, values := w.Float32s()
			for what, err := range map[string]error{"Float32s": values, "CheckFinite": w.CheckFinite(), "Guard": f.Guard(func() error { return nil })} {
				named := err != nil && strings.HasPrefix(err.Error(), "safetensors: "+path+": changed while in use: "+c.want)
				if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrChanged) || !named) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// Detached values are theirs alone, whatever becomes of the file.
func TestDetached(t *testing.T) {
	f, w, path := onDiskOne(t, true)
	view, err := w.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	for i := range view[:3] {
		if view[i] != 0 {
			t.Fatalf("value %d is %g", i, view[i])
		}
	}
	own := f.Detached(view)
	if len(own) != len(view) || &own[0] == &view[0] {
		t.Fatalf("%d values of %d, of the file: %t", len(own), len(view), &own[0] == &view[0])
	}
	if again := f.Detached(own); &again[0] != &own[0] {
		t.Error("copied twice")
	}
	if f.Detached(nil) != nil {
		t.Error("something out of nothing")
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	for i, v := range own {
		if v != 0 {
			t.Fatalf("value %d is %g", i, v)
		}
	}
}
