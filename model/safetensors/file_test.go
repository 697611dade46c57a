package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// sample is a tensor of every dtype, the F32, F16 and BF16 at aligned and
// unaligned places, an empty one and scalars; and what can be read as float32.
func sample() ([]Entry, map[string][]float32) {
	le16 := func(v ...uint16) (b []byte) {
		for _, x := range v {
			b = binary.LittleEndian.AppendUint16(b, x)
		}
		return b
	}
	values := []float32{1, -2.5, 0, 1e-45, math.MaxFloat32, float32(math.Copysign(0, -1))}
	var words []byte
	for _, v := range values {
		words = binary.LittleEndian.AppendUint32(words, math.Float32bits(v))
	}
	const tiny = 1.0 / (1 << 24) // the least F16 subnormal
	halves := le16(0x3c00, 0xc100, 0x0001, 0x03ff, 0x7bff)
	brains := le16(0x3f80, 0xc020, 0x0001)
	entries := []Entry{
		{Name: "f32", DType: F32, Shape: []int{2, 3}, Data: words},
		{Name: "f16", DType: F16, Shape: []int{5}, Data: halves},
		{Name: "bf16", DType: BF16, Shape: []int{3, 1}, Data: brains},
		{Name: "odd", DType: U8, Shape: []int{1}, Data: []byte{7}},
		{Name: "f32 unaligned", DType: F32, Shape: []int{6}, Data: words},
		{Name: "f16 unaligned", DType: F16, Shape: []int{5}, Data: halves},
		{Name: "bf16 unaligned", DType: BF16, Shape: []int{1, 3}, Data: brains},
		{Name: "empty", DType: F32, Shape: []int{0, 5}, Data: []byte{}},
		{Name: "scalar", DType: F32, Data: words[:4]},
	}
	for _, d := range allDTypes {
		data := make([]byte, d.Bits()) // 8 elements
		for i := range data {
			data[i] = byte(i + 1)
		}
		entries = append(entries, Entry{Name: "all " + string(d), DType: d, Shape: []int{4, 2}, Data: data})
	}
	return entries, map[string][]float32{
		"f32": values, "f32 unaligned": values,
		"f16": {1, -2.5, tiny, 1023 * tiny, 65504}, "f16 unaligned": {1, -2.5, tiny, 1023 * tiny, 65504},
		"bf16": {1, -2.5, math.Float32frombits(1 << 16)}, "bf16 unaligned": {1, -2.5, math.Float32frombits(1 << 16)},
		"empty": {}, "scalar": {1},
	}
}

// bytesFS is a file system in memory whose files offer their bytes.
type bytesFS struct {
	fstest.MapFS
	closed *int
}

type bytesFile struct {
	fs.File
	data   []byte
	closed *int
}

func (f bytesFile) Bytes() []byte            { return f.data }
func (f bytesFile) Read([]byte) (int, error) { return 0, errors.New("read, though there are Bytes") }
func (f bytesFile) Close() error             { *f.closed++; return f.File.Close() }
func (b bytesFS) Open(name string) (fs.File, error) {
	f, err := b.MapFS.Open(name)
	if err != nil {
		return nil, err
	}
	return bytesFile{f, b.MapFS[name].Data, b.closed}, nil
}

// write puts a file into a new directory and returns its path.
func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRoundTrip(t *testing.T) {
	entries, values := sample()
	for _, layout := range []Layout{{}, {Align: 1}, {HeaderBytes: 3002}, {Align: 4096}} {
		text, err := encode(layout, entries, map[string]string{"format": "pt"})
		if err != nil {
			t.Fatal(err)
		}
		path := write(t, "x.safetensors", text)
		dir, name := filepath.Split(path)
		inMemory := fstest.MapFS{name: {Data: text}}
		closed := 0
		for how, open := range map[string]func() (*File, error){
			"Open":              func() (*File, error) { return Open(path) },
			"OpenFS of DirFS":   func() (*File, error) { return OpenFS(os.DirFS(dir), name) },
			"OpenFS of MapFS":   func() (*File, error) { return OpenFS(inMemory, name) },
			"OpenFS with Bytes": func() (*File, error) { return OpenFS(bytesFS{inMemory, &closed}, name) },
			"Parse":             func() (*File, error) { return Parse(name, text) },
		} {
			t.Run(fmt.Sprintf("%s/%+v", how, layout), func(t *testing.T) {
				f, err := open()
				if err != nil {
					t.Fatal(err)
				}
				checkSame(t, f, entries, values)
				if f.Metadata()["format"] != "pt" || len(f.Metadata()) != 1 {
					t.Errorf("metadata %v", f.Metadata())
				}
				b := f.backings[0]
				if mapped, onDisk := b.mapped != nil, strings.Contains(how, "Dir") || how == "Open"; mapped != onDisk {
					t.Errorf("mapped: %t", mapped)
				}
				if shared := &b.data[0] == &text[0]; shared != (how == "Parse" || how == "OpenFS with Bytes") {
					t.Errorf("the caller's memory is used: %t", shared)
				}
				checkClose(t, f)
			})
		}
		if closed < 1 {
			t.Error("a file with Bytes was left open")
		}
	}
}

// checkSame checks that f has what entries wrote.
func checkSame(t *testing.T, f *File, entries []Entry, values map[string][]float32) {
	t.Helper()
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	if !slices.Equal(f.Names(), names) {
		t.Errorf("names %q, want %q", f.Names(), names)
	}
	if _, ok := f.Lookup("none"); ok {
		t.Error("found a tensor that is not there")
	}
	for _, e := range entries {
		got, ok := f.Lookup(e.Name)
		if !ok || got.Name != e.Name || got.DType != e.DType || !slices.Equal(got.Shape, e.Shape) || !bytes.Equal(got.Data(), e.Data) {
			t.Errorf("tensor %q is %+v, want %+v", e.Name, got, e)
			continue
		}
		if got.Elements()*got.DType.Bits() != 8*len(e.Data) || cap(got.Data()) != len(got.Data()) {
			t.Errorf("tensor %q: %d elements in %d bytes, capacity %d", e.Name, got.Elements(), len(e.Data), cap(got.Data()))
		}
		got.Release() // changes nothing
		if want, ok := values[e.Name]; ok {
			floats, err := got.Float32s()
			same := slices.EqualFunc(floats, want, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
			if err != nil || !same || floats == nil {
				t.Errorf("%q is %g, %v, want %g", e.Name, floats, err, want)
			}
		}
	}
}

// checkClose checks that a File can be closed twice and is dead then.
func checkClose(t *testing.T, f *File) {
	t.Helper()
	tensor := f.tensors[f.names[0]]
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if tensor.Data() != nil {
		t.Error("bytes after Close")
	}
	tensor.Release()
	if _, err := f.tensors["f32"].Float32s(); !errors.Is(err, ErrClosed) {
		t.Errorf("Float32s after Close: %v", err)
	}
	if err := f.tensors["f32"].CheckFinite(); !errors.Is(err, ErrClosed) {
		t.Errorf("CheckFinite after Close: %v", err)
	}
	if err := f.Guard(func() error { t.Error("read after Close"); return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("Guard after Close: %v", err)
	}
}

// oddFS has one file, that says and does what it is told.
type oddFS struct {
	size  int64
	read  io.Reader
	close error
}

func (o oddFS) Open(string) (fs.File, error) {
	f, err := fstest.MapFS{"x": {}}.Open("x")
	return oddFile{f, o}, err
}

type oddFile struct {
	fs.File
	fs oddFS
}

func (f oddFile) Read(p []byte) (int, error) { return f.fs.read.Read(p) }
func (f oddFile) Close() error               { return f.fs.close }
func (f oddFile) Stat() (fs.FileInfo, error) {
	stat, err := f.File.Stat()
	return oddInfo{stat, f.fs.size}, err
}

type oddInfo struct {
	fs.FileInfo
	size int64
}

func (i oddInfo) Size() int64 { return i.size }

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "safetensors: ") {
		t.Errorf("no file: %v", err)
	}
	if _, err := Open(dir); err == nil || err.Error() != "safetensors: "+dir+": not a regular file (d---------)" {
		t.Errorf("a directory: %v", err)
	}
	if _, err := OpenFS(os.DirFS(dir), "../x"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("outside: %v", err)
	}
	path := write(t, "empty.safetensors", nil)
	if _, err := Open(path); !errors.Is(err, ErrHeaderTooSmall) || !strings.Contains(err.Error(), path+": header too small: the file has 0 bytes") {
		t.Errorf("an empty file: %v", err)
	}

	good := file(`{"a":`+f32(1, 0, 4)+`}`, 4)
	size := int64(len(good))
	failure := errors.New("bad sector")
	reader := func() io.Reader { return bytes.NewReader(good) }
	for _, c := range []struct {
		fsys oddFS
		want string
	}{
		{oddFS{size, reader(), nil}, ""},
		{oddFS{size, oneByte{reader()}, nil}, ""},
		{oddFS{size + 1, reader(), nil}, "safetensors: x: read 66 bytes, but its size is 67"},
		{oddFS{size - 1, reader(), nil}, "safetensors: x: read more than the 65 bytes of its size"},
		{oddFS{1 << 62, reader(), nil}, "safetensors: x: read 66 bytes, but its size is 4611686018427387904"},
		{oddFS{-1, reader(), nil}, "safetensors: x: its size is -1"},
		{oddFS{size, io.MultiReader(bytes.NewReader(good[:9]), broken{failure}), nil}, "safetensors: x: bad sector"},
		{oddFS{size, reader(), failure}, "safetensors: x: bad sector"},
	} {
		_, err := OpenFS(c.fsys, "x")
		if c.want == "" && err != nil || c.want != "" && (err == nil || strings.Split(err.Error(), "\n")[0] != c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// A checkpoint in memory is read once: no more is allocated than its size and
// some for the header.
func TestOpenFSReadsOnce(t *testing.T) {
	const size = 8 << 20
	text, err := encode(Layout{}, []Entry{{Name: "w", DType: F32, Shape: []int{size / 4}, Data: make([]byte, size)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{"x": {Data: text}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := OpenFS(fsys, "x"); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	got := after.TotalAlloc - before.TotalAlloc
	if got > size+size/8 {
		t.Errorf("%d bytes allocated for a file of %d", got, size)
	}
}
