package safetensors

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// file returns a file with that header and that many bytes of data.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestVectors(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set")
	}
	dir := filepath.Join(shared, "data", "safetensors-tests")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct{ File, Expect string }
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 17 {
		t.Errorf("%d vectors, want 17", len(vectors))
	}
	want := map[string]error{
		"OK":                           nil,
		"HeaderTooSmall":               ErrHeaderTooSmall,
		"HeaderTooLarge":               ErrHeaderTooLarge,
		"InvalidHeaderLength":          ErrInvalidHeaderLength,
		"InvalidHeader":                ErrInvalidHeader,
		"InvalidHeaderDeserialization": ErrInvalidHeaderDeserialization,
		"InvalidOffset":                ErrInvalidOffset,
		"MetadataIncompleteBuffer":     ErrMetadataIncompleteBuffer,
		"TensorInvalidInfo":            ErrTensorInvalidInfo,
		"ValidationOverflow":           ErrValidationOverflow,
	}
	for _, v := range vectors {
		expect, known := want[v.Expect]
		if !known {
			t.Fatalf("%s: unknown expectation %q", v.File, v.Expect)
		}
		f, err := Open(filepath.Join(dir, v.File))
		if !errors.Is(err, expect) {
			t.Errorf("%s: %v, want %s", v.File, err, v.Expect)
		}
		if err == nil {
			f.Close()
		} else if !strings.Contains(err.Error(), v.File) {
			t.Errorf("%v does not name the file", err)
		}
	}
}
