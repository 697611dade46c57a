package pickle

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// Every way in which PyTorch saves a dict comes out as what its own safetensors library
// writes of it, byte for byte: types, views, shared storages, parameters (testdata/make.py).
func TestAgainstTorch(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bin")
	if err != nil || len(files) != 8 {
		t.Fatalf("files %q, %v", files, err)
	}
	for _, name := range files {
		kind, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".bin"), "-")
		want, err := os.ReadFile("testdata/" + kind + ".safetensors")
		if err != nil {
			t.Fatal(err)
		}
		if got := converted(t, name); !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d: %.300q", name, len(got), len(want), got)
		}
	}
}

// converted returns what Convert writes of a file.
func converted(t *testing.T, name string) []byte {
	t.Helper()
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	to := filepath.Join(t.TempDir(), "to.safetensors")
	if _, err := f.Convert(t.Context(), to, false); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What real versions of the libraries saved is read, whole, and has the weights that the
// same model has in safetensors.
func TestSaved(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set: the models that real libraries saved are not read")
	}
	saved := filepath.Join(shared, "data", "saved")
	files, err := filepath.Glob(filepath.Join(saved, "st-*", "*", "pytorch_model.bin"))
	if err != nil || len(files) < 8 {
		t.Fatalf("files %q, %v", files, err)
	}
	modules, err := filepath.Glob(filepath.Join(saved, "st-*", "*", "*", "pytorch_model.bin"))
	if err != nil || len(modules) == 0 {
		t.Fatalf("files %q, %v", modules, err)
	}
	for _, name := range slices.Concat(files, modules) {
		if got := converted(t, name); len(got) < 1000 {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
	folder := filepath.Join(saved, "st-2.2.2+tf-4.30")
	want, err := safetensors.Open(filepath.Join(folder, "hf-seqcls-safetensors", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	for _, kind := range []string{"hf-seqcls-bin", "hf-seqcls-bin-legacy"} {
		got, err := safetensors.Parse(kind, converted(t, filepath.Join(folder, kind, "pytorch_model.bin")))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Names(), want.Names()) || got.Metadata()["format"] != want.Metadata()["format"] {
			t.Errorf("%s: tensors %q, want %q", kind, got.Names(), want.Names())
		}
		for _, name := range want.Names() {
			a, _ := got.Lookup(name)
			b, _ := want.Lookup(name)
			if a == nil || a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) || !bytes.Equal(a.Data(), b.Data()) {
				t.Errorf("%s: %s differs", kind, name)
			}
		}
	}
}

// Shards become one file, and an index that does not fit them is an error.
func TestShards(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.bin", zipOf(tensors("one", "two")))
	write(t, dir, "b.bin", zipOf(tensors("three")))
	write(t, dir, indexName, []byte(`{"metadata":{"total_size":12},"weight_map":{"one":"a.bin","two":"a.bin","three":"b.bin"}}`))
	f, err := OpenCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var names []string
	for _, e := range f.Entries() {
		names = append(names, e.Name)
	}
	if want := []string{"one", "three", "two"}; !slices.Equal(names, want) {
		t.Errorf("tensors %q, want %q", names, want)
	}
	for index, want := range map[string]string{
		`{"weight_map":{"one":"a.bin","four":"b.bin"}}`: `tensor "four" is not in its shard b.bin`,
		`{"weight_map":{"one":"b.bin"}}`:                `tensor "one" is not in its shard b.bin`,
		`{"weight_map":{"one":"a.bin","three":"c"}}`:    "no such file",
		`{"weight_map":{"one":"../a.bin"}}`:             "not the name of a file beside the index",
		`{"weight_map":{}}`:                             "no weight_map",
	} {
		write(t, dir, indexName, []byte(index))
		if _, err := OpenCheckpoint(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %s", index, err, want)
		}
	}
	write(t, dir, "c", zipOf(tensors("one")))
	write(t, dir, indexName, []byte(`{"weight_map":{"one":"a.bin","three":"c"}}`))
	if _, err := OpenCheckpoint(dir); err == nil || !strings.Contains(err.Error(), `tensor "one" is in two shards, a.bin and c`) {
		t.Errorf("error %v", err)
	}
	if _, err := OpenCheckpoint(t.TempDir()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "neither pytorch_model.bin nor") {
		t.Errorf("an empty folder: %v", err)
	}
}

// A file appears whole or not at all, and takes the place of another only where it may.
func TestConvertAtomically(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "x.bin"), filepath.Join(dir, "to")
	write(t, dir, "x.bin", zipOf(tensors("one")))
	write(t, dir, "to", []byte("before"))
	f, err := Open(from)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Convert(t.Context(), to, false); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), to) {
		t.Errorf("error %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := f.Convert(stopped, to, true); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if got, err := os.ReadFile(to); string(got) != "before" || err != nil {
		t.Errorf("there is %q, %v", got, err)
	}
	w, err := f.Convert(t.Context(), to, true)
	if err != nil || w.Tensors != 1 {
		t.Errorf("%+v, %v", w, err)
	}
	if info, err := os.Stat(to); err != nil || info.Size() != w.Bytes {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := f.Convert(t.Context(), filepath.Join(dir, "no", "to"), false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Convert(t.Context(), to, true); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if left, err := os.ReadDir(dir); len(left) != 2 || err != nil {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// Bytes that are not those that were written are seen where the file has their sum: of a
// tensor that is a whole storage, and of one that is a part or a view.
func TestChecksums(t *testing.T) {
	whole := pTensor(pStorage("ByteStorage", "0", 64), 0, pInts(64), pInts(1))
	part := pTensor(pStorage("ByteStorage", "0", 64), 1, pInts(2), pInts(1))
	turned := pTensor(pStorage("ByteStorage", "0", 64), 0, pInts(2, 2), pInts(1, 2))
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		for _, tensor := range []string{whole, part, turned} {
			good := pack(method, "archive/data.pkl", pDict("w", tensor), "archive/data/0", content(64))
			wrong := patched(bytes.Clone(good), "PK\x01\x02", 16, good[bytes.LastIndex(good, []byte("PK\x01\x02"))+16]+1)
			// The pickle's own sum stays right.
			first := bytes.Index(good, []byte("PK\x01\x02"))
			wrong[first+16] = good[first+16]
			dir := t.TempDir()
			write(t, dir, "good", good)
			write(t, dir, "wrong", wrong)
			converted(t, filepath.Join(dir, "good"))
			f, err := Open(filepath.Join(dir, "wrong"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = f.Convert(t.Context(), filepath.Join(dir, "to"), false); !errors.Is(err, ErrChecksum) || !strings.Contains(err.Error(), "archive/data/0") {
				t.Errorf("method %d: %v", method, err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			patched(wrong, "PK\x01\x02", 16, good[first+16]+1)
			write(t, dir, "wrong", wrong)
			if _, err := Open(filepath.Join(dir, "wrong")); !errors.Is(err, ErrChecksum) || !strings.Contains(err.Error(), "archive/data.pkl") {
				t.Errorf("method %d: %v", method, err)
			}
		}
	}
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}
