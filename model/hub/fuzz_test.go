package hub

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// longestFuzzed bounds the inputs that are looked at, in bytes: go test makes what
// reaches something new smaller by trying all of its parts, quadratically many.
const longestFuzzed = 150

// Whatever an index says, the shards that a pull would ask for and write are plain
// files of the checkpoint, each once.
func FuzzShards(f *testing.F) {
	for _, text := range []string{
		`{"weight_map":{"a":"x.safetensors"}}`, `{"metadata":{"total_size":1},"weight_map":{"a":"y.safetensors","b":"y.safetensors","c":"x.safetensors"}}`,
		`{"weight_map":{"a":"../x.safetensors"}}`, `{"weight_map":{"a":"/x.safetensors"}}`, `{"weight_map":{"a":".safetensors"}}`,
		`{"weight_map":{"a":"x\u0000.safetensors"}}`, `{"weight_map":{}}`, `{"weight_map":[]}`, `[]`, `{"x":[[[[`, `{"weight_map":{"a":"x","a":"y"}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > longestFuzzed {
			return
		}
		names, err := Shards(IndexFile, bytes.NewReader(text))
		if (err == nil) != (len(names) > 0) {
			t.Fatalf("%q and %v", names, err)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "hub: "+IndexFile+": ") || len(err.Error()) > 3000) {
			t.Fatalf("error %q", err)
		}
		if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Fatalf("%q is not sorted, or has one twice", names)
		}
		for _, name := range names {
			if filepath.Base(name) != name || !filepath.IsLocal(name) || strings.ContainsAny(name, "/\\:\x00") || !strings.HasSuffix(name, ".safetensors") || name[0] == '.' {
				t.Errorf("shard %q", name)
			}
		}
	})
}
