package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestFS(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, ConfigFile), "{}")
	write(t, filepath.Join(dir, "1_Pooling", ConfigFile), "{}")
	if err := fstest.TestFS(Snapshot{Dir: dir}.FS(), ConfigFile, "1_Pooling/config.json"); err != nil {
		t.Error(err)
	}
	file, err := Snapshot{Dir: dir}.FS().Open(ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, ok := file.(*os.File); !ok {
		t.Errorf("opened a %T, want *os.File for mapping", file)
	}
}

// The package's rule for links, in a directory that the user named.
func TestFSLinks(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "model")
	write(t, filepath.Join(base, "elsewhere"), "outside")
	write(t, filepath.Join(dir, "data", "shard"), "inside")
	link(t, "../elsewhere", filepath.Join(dir, WeightsFile))
	link(t, filepath.Join(base, "elsewhere"), filepath.Join(dir, ModulesFile)) // read where it is there
	link(t, "../elsewhere", filepath.Join(dir, "model-00001-of-00002.safetensors"))
	link(t, "data/shard", filepath.Join(dir, "model-00002-of-00002.safetensors"))
	link(t, filepath.Join(base, "elsewhere"), filepath.Join(dir, "absolute.safetensors"))
	link(t, base, filepath.Join(dir, "up"))
	link(t, "loop", filepath.Join(dir, "loop"))
	fsys := Snapshot{Dir: dir}.FS()

	for name, want := range map[string]string{WeightsFile: "outside", ModulesFile: "outside", "model-00002-of-00002.safetensors": "inside"} {
		if got, err := fs.ReadFile(fsys, name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{
		"model-00001-of-00002.safetensors", "absolute.safetensors", "up/elsewhere", "up/model/" + WeightsFile,
		"loop", "../elsewhere", "/etc/passwd", "data/../../elsewhere", `..\elsewhere`, "",
	} {
		file, err := fsys.Open(name)
		if err == nil || file != nil {
			t.Errorf("%q was opened", name)
		}
		var pathErr *fs.PathError
		if !errors.As(err, &pathErr) || pathErr.Path != name {
			t.Errorf("%q: error %v does not carry the name", name, err)
		}
	}
	if _, err := fsys.Open("model-00001-of-00002.safetensors"); !strings.Contains(err.Error(), "a link that leads out of "+dir) {
		t.Errorf("the refusal reads %q", err)
	}
	if _, err := fsys.Open("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
}

func TestShards(t *testing.T) {
	got, err := Shards(IndexFile, strings.NewReader(`{"metadata":{"total_size":9},"weight_map":{
		"a":"model-00002-of-00002.safetensors","b":"model-00001-of-00002.safetensors","c":"model-00001-of-00002.safetensors"}}`))
	if want := []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	for _, index := range []string{
		"", "[]", "{}", `{"weight_map":{}}`, `{"weight_map":{"a":1}}`, `{"weight_map":[]}`, strings.Repeat("[", 100_000),
	} {
		if got, err := Shards(IndexFile, strings.NewReader(index)); err == nil {
			t.Errorf("index %.40q gave %q", index, got)
		}
	}
	for _, shard := range []string{
		"../../etc/passwd", "/etc/passwd", "../x.safetensors", "/x.safetensors", `..\\x.safetensors`, "a/b.safetensors",
		"C:x.safetensors", ".safetensors", "", "x.bin", "a\u0000.safetensors", strings.Repeat("x", 300) + ".safetensors",
	} {
		got, err := Shards(IndexFile, strings.NewReader(fmt.Sprintf(`{"weight_map":{"tensor.x":%q}}`, shard)))
		if err == nil || !strings.Contains(err.Error(), IndexFile) {
			t.Errorf("shard %q: %q, %v", shard, got, err)
		}
	}
}

func TestShardedModel(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, ConfigFile), "{}")
	write(t, filepath.Join(dir, TokenizerFile), "{}")
	write(t, filepath.Join(dir, IndexFile), `{"weight_map":{"a":"a.safetensors","b":"b.safetensors"}}`)
	write(t, filepath.Join(dir, "a.safetensors"), "x")
	if _, err := (Cache{}).Resolve(dir); !errors.Is(err, ErrIncomplete) || !strings.HasSuffix(err.Error(), "lacks b.safetensors") {
		t.Errorf("one shard missing: %v", err)
	}
	write(t, filepath.Join(dir, "b.safetensors"), "x")
	if _, err := (Cache{}).Resolve(dir); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(dir, IndexFile), `{"weight_map":{"a":"../a.safetensors"}}`)
	if _, err := (Cache{}).Resolve(dir); !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "../a.safetensors") {
		t.Errorf("a shard that climbs: %v", err)
	}
}

// PyTorch's weights complete a model, in one file or in several, and safetensors come first:
// what is missing of them is not made up for by others.
func TestPickledModel(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, ConfigFile), "{}")
	write(t, filepath.Join(dir, TokenizerFile), "{}")
	for _, c := range []struct{ name, content, lacks string }{
		{"", "", WeightsFile},
		{PickleIndexFile, `{"weight_map":{"a":"a.bin","b":"b.bin"}}`, "a.bin, b.bin"},
		{PickleIndexFile, `{"weight_map":{"a":"a.safetensors"}}`, `pytorch_model.bin.index.json (shard "a.safetensors": want a plain name ending in .bin)`},
		{PickleFile, "x", ""},
		{IndexFile, `{"weight_map":{"a":"a.safetensors"}}`, "a.safetensors"},
		{WeightsFile, "x", ""},
	} {
		if c.name != "" {
			write(t, filepath.Join(dir, c.name), c.content)
		}
		_, err := (Cache{}).Resolve(dir)
		if c.lacks == "" && err != nil || c.lacks != "" && (!errors.Is(err, ErrIncomplete) || !strings.HasSuffix(err.Error(), "lacks "+c.lacks)) {
			t.Errorf("with %s %s: %v, want %q", c.name, c.content, err, c.lacks)
		}
	}
}
