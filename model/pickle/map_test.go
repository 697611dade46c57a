package pickle

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// Every file opens in place with the tensors that it has converted, and those that it has as
// safetensors would are where the file has them.
func TestInPlace(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bin")
	if err != nil || len(files) != 8 {
		t.Fatalf("files %q, %v", files, err)
	}
	inPlace := 0
	for _, path := range files {
		dir, name := filepath.Split(path)
		want, err := safetensors.Parse(name, converted(t, path))
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Format.Open(os.DirFS(dir), name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Names(), want.Names()) || got.Format() != "PyTorch" || want.Format() != "safetensors" {
			t.Errorf("%s: tensors %q in the format of %s, want %q", name, got.Names(), got.Format(), want.Names())
		}
		err = got.Guard(func() error {
			for _, tensor := range want.Names() {
				a, _ := got.Lookup(tensor)
				b, _ := want.Lookup(tensor)
				if a == nil || a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) || !bytes.Equal(a.Data(), b.Data()) {
					t.Errorf("%s: tensor %s is not the same", name, tensor)
				} else if len(a.Data()) > 0 && bytes.HasPrefix(content[a.Offset:], a.Data()) {
					inPlace++
				}
			}
			return nil
		})
		if err = errors.Join(err, got.Close()); err != nil {
			t.Error(err)
		}
	}
	if inPlace < 20 {
		t.Errorf("%d tensors are used where they are", inPlace)
	}
}

// mapped opens a file of that content in place.
func mapped(t *testing.T, content []byte) error {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, singleName, content)
	f, err := Format.OpenCheckpoint(os.DirFS(dir))
	if err != nil {
		return err
	}
	return f.Close()
}

// Hostile files are refused as convert refuses them, or because their pickle is too large.
func TestHostileFilesInPlace(t *testing.T) {
	for _, c := range hostileFiles() {
		if err := mapped(t, c.content()); err == nil || !strings.Contains(err.Error(), c.want) && !errors.Is(err, ErrLimit) || !strings.HasPrefix(err.Error(), singleName+": ") || len(err.Error()) > 2000 {
			t.Errorf("%s: error %.3000v, want one with %s", c.name, err, c.want)
		}
	}
}

// A wrong checksum is seen when the file is opened, and copies have a limit of their own.
func TestInPlaceRefused(t *testing.T) {
	const n = 1 << 20
	bytesOf := func(n int64, sizes, strides string) string {
		return pTensor(pStorage("ByteStorage", "0", n), 0, sizes, strides)
	}
	good := pack(zip.Store, "archive/data.pkl", pDict("w", bytesOf(64, pInts(64), pInts(1))), "archive/data/0", content(64))
	last := bytes.LastIndex(good, []byte("PK\x01\x02")) + 16
	wrong := bytes.Clone(good)
	wrong[last]++
	repeatedBy := func(times int64) []byte { // rows that are all the same one
		return pack(zip.Store, "archive/data.pkl", pDict("w", bytesOf(n, pInts(times, n), pInts(0, 1))), "archive/data/0", content(n))
	}
	for _, c := range []struct {
		name    string
		content []byte
		want    error
	}{
		{"as written", good, nil},
		{"a wrong sum", wrong, ErrChecksum},
		{"twice the same row", repeatedBy(2), nil},
		{"many times", repeatedBy(8), ErrLimit}, // which convert writes
		{"zeros", pack(zip.Deflate, "archive/data.pkl", pDict("w", bytesOf(n, pInts(n), pInts(1))), "archive/data/0", strings.Repeat("\x00", n)), nil},
		{"more zeros", pack(zip.Deflate, "archive/data.pkl", pDict("w", bytesOf(n+4096, pInts(n+4096), pInts(1))), "archive/data/0", strings.Repeat("\x00", n+4096)), ErrLimit},
	} {
		if err := mapped(t, c.content); !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), `tensor "w": `) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
	}
}

// Shards are one checkpoint, by the rules of safetensors.
func TestShardsInPlace(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.bin", zipOf(tensors("one", "two")))
	write(t, dir, "b.bin", zipOf(tensors("three")))
	write(t, dir, indexName, []byte(`{"metadata":{"total_size":12},"weight_map":{"one":"a.bin","two":"a.bin","three":"b.bin"}}`))
	f, err := Format.OpenCheckpoint(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want := []string{"one", "three", "two"}; !slices.Equal(f.Names(), want) || f.Format() != "PyTorch" {
		t.Errorf("tensors %q in the format of %s, want %q", f.Names(), f.Format(), want)
	}
	write(t, dir, indexName, []byte(`{"weight_map":{"one":"b.bin"}}`))
	if _, err := Format.OpenCheckpoint(os.DirFS(dir)); err == nil || !strings.Contains(err.Error(), indexName+": ") {
		t.Errorf("a tensor in another shard: %v", err)
	}
}
