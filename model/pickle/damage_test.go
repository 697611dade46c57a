package pickle

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// A zip file of which any one bit was turned over, or which ends anywhere, is refused, or
// gives the same tensors: all that counts has a checksum. A legacy file has none, and gives
// tensors or an error.
func TestDamagedFiles(t *testing.T) {
	step := 7 // bytes; every one is 15 seconds
	if testing.Short() {
		step = 61
	}
	for _, c := range []struct {
		name    string
		checked bool
	}{{"newer.bin", true}, {"newer-deflated.bin", true}, {"newer-legacy.bin", false}} {
		file, err := os.ReadFile("testdata/" + c.name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := written(file)
		if err != nil {
			t.Fatal(err)
		}
		refused := 0
		for i := 0; i < len(file); i += step {
			damaged := bytes.Clone(file)
			damaged[i] ^= 1 << (i % 8)
			for _, data := range [][]byte{damaged, file[:i]} {
				got, err := written(data)
				if err != nil {
					checkRefusal(t, data, err)
					refused++
				} else if c.checked && !bytes.Equal(got, want) {
					t.Errorf("%s: other tensors, where byte %d of %d is damaged", c.name, i, len(data))
				}
			}
		}
		if refused < len(file)/step {
			t.Errorf("%s: %d of %d damaged files are refused", c.name, refused, len(file)/step*2)
		}
	}
}

// written is what is written of a file.
func written(file []byte) ([]byte, error) {
	tensors, err := read("damaged", bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	f := File{tensors: tensors}
	err = safetensors.Write(&out, f.Entries(), nil)
	return []byte(out.String()), err
}
