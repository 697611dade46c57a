//go:build unix

package engine

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// writeInPlace makes a file of others' weights out of path's, without a new inode.
func writeInPlace(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	// All but the header: each float32 gets another exponent and stays finite.
	for i := len(data) / 2; i < len(data); i++ {
		data[i] ^= 1
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return later(path) // the clock may have stood still since it was opened
}

func later(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Second)) }

// Somebody writes to the weights' file while an engine has it mapped. Who reads it in
// place says so, before any score that was made of it; who has packed it goes on.
func TestWeightsChangedInPlace(t *testing.T) {
	modeltest.OnlyValues(t)
	shape := synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 128, Vocab: 30522, Positions: 512, Types: 2, Labels: 1}
	fsys, err := synth.FS(1, shape)
	if err != nil {
		t.Fatal(err)
	}
	pairs := []Pair{{"a query", "a passage"}, {"another one", "and what it says"}}
	for _, change := range []struct {
		name string
		make func(path string) error
		is   error
		want string
	}{
		{"written over", writeInPlace, safetensors.ErrChanged, "model.safetensors: changed while in use: it was written to at "},
		{"touched", later, safetensors.ErrChanged, "model.safetensors: changed while in use: it was written to at "},
		{"grown", func(path string) error { return os.Truncate(path, 64<<20) }, safetensors.ErrChanged,
			"model.safetensors: changed while in use: it has 67108864 bytes, and had "},
		{"cut", func(path string) error { return os.Truncate(path, 4096) }, safetensors.ErrTruncated,
			"model.safetensors: truncated while in use: 4096 bytes are left of "},
		{"replaced", func(path string) error {
			if err := os.WriteFile(path+".new", []byte("another"), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		}, nil, ""},
		{"removed", os.Remove, nil, ""},
	} {
		for name, options := range map[string][]Option{
			"reference":   {Device("reference")},
			"generic":     {Device("cpu"), Precision("f32"), InstructionSet("generic")},
			"cpu in f32":  {Device("cpu"), Precision("f32")},
			"cpu in int8": {Device("cpu"), Precision("int8")},
		} {
			t.Run(change.name+"/"+name, func(t *testing.T) {
				inPlace := name == "reference" || name == "generic" || kernels.Available()[0] == kernels.Generic
				dir := t.TempDir()
				if err := os.CopyFS(dir, fsys); err != nil {
					t.Fatal(err)
				}
				e, err := Open(dir, append(options, Workers(2), NoCalibrationFile())...)
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				before, err := e.Score(t.Context(), nil, pairs)
				if err != nil {
					t.Fatal(err)
				}
				if err := change.make(filepath.Join(dir, "model.safetensors")); err != nil {
					t.Fatal(err)
				}
				for range 2 { // and it stays so
					after, err := e.Score(t.Context(), nil, pairs)
					switch {
					case change.is == nil || !inPlace:
						if err != nil || !slices.Equal(after, before) {
							t.Fatalf("scores %v, were %v: %v", after, before, err)
						}
					case !errors.Is(err, ErrModel) || !errors.Is(err, change.is) || !strings.Contains(err.Error(), change.want):
						t.Fatalf("scores %v, were %v: error %v", after, before, err)
					}
				}
			})
		}
	}
}
