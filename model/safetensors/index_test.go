package safetensors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

// shards is the sample in three shards and the index that says so.
func shards(t testing.TB) (fsys fstest.MapFS, shardOf map[string]string) {
	t.Helper()
	entries, _ := sample()
	fsys, shardOf = fstest.MapFS{}, map[string]string{}
	third := (len(entries) + 2) / 3
	for i := range 3 {
		part := entries[i*third : min((i+1)*third, len(entries))]
		name := fmt.Sprintf("model-%05d-of-00003.safetensors", i+1)
		text, err := encode(Layout{Align: 1 + i}, part, map[string]string{"shard": fmt.Sprint(i + 1)})
		if err != nil {
			t.Fatal(err)
		}
		fsys[name] = &fstest.MapFile{Data: text}
		for _, e := range part {
			shardOf[e.Name] = name
		}
	}
	setIndex(t, fsys, shardOf)
	return fsys, shardOf
}

func setIndex(t testing.TB, fsys fstest.MapFS, shardOf map[string]string) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 1.5}, "weight_map": shardOf})
	if err != nil {
		t.Fatal(err)
	}
	fsys[Own.Index] = &fstest.MapFile{Data: text}
}

// onDisk copies a file system to a new directory.
func onDisk(t testing.TB, fsys fs.FS) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, fsys); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOpenCheckpoint(t *testing.T) {
	entries, values := sample()
	sharded, _ := shards(t)
	text, err := encode(Layout{}, entries, map[string]string{"shard": "1"})
	if err != nil {
		t.Fatal(err)
	}
	single := fstest.MapFS{Own.Single: {Data: text}}
	both := maps.Clone(sharded) // the single file wins
	both[Own.Single] = single[Own.Single]
	both[Own.Index] = &fstest.MapFile{Data: []byte("not read")}
	for name, fsys := range map[string]fstest.MapFS{"sharded": sharded, "single": single, "both": both} {
		for where, fsys := range map[string]fs.FS{"memory": fsys, "disk": os.DirFS(onDisk(t, fsys))} {
			t.Run(name+" on "+where, func(t *testing.T) {
				f, err := OpenCheckpoint(fsys)
				if err != nil {
					t.Fatal(err)
				}
				checkSame(t, f, entries, values)
				if f.Metadata()["shard"] != "1" {
					t.Errorf("metadata %v", f.Metadata())
				}
				if scalar, _ := f.Lookup("scalar"); name == "sharded" && scalar.File != "model-00001-of-00003.safetensors" {
					t.Errorf("a scalar in %s", scalar.File)
				}
				checkClose(t, f)
			})
		}
	}
}

// What a shard holds beyond the index is left out, as Hugging Face's loaders do.
func TestOpenCheckpointIgnoresExtra(t *testing.T) {
	fsys, shardOf := shards(t)
	delete(shardOf, "scalar")
	setIndex(t, fsys, shardOf)
	f, err := OpenCheckpoint(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := f.Lookup("scalar"); ok || len(f.Names()) != len(shardOf) {
		t.Errorf("names %q", f.Names())
	}
}

func TestOpenCheckpointRefuses(t *testing.T) {
	const first, second = "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors"
	for _, c := range []struct {
		name   string
		change func(fsys fstest.MapFS, shardOf map[string]string)
		is     error
		want   string // after "safetensors: "
	}{
		{"nothing there", func(fsys fstest.MapFS, _ map[string]string) { clear(fsys) },
			fs.ErrNotExist, `neither model.safetensors nor model.safetensors.index.json: file does not exist`},
		{"a shard is missing", func(fsys fstest.MapFS, _ map[string]string) { delete(fsys, second) },
			fs.ErrNotExist, `model.safetensors.index.json: open ` + second + `: file does not exist`},
		{"a shard is bad", func(fsys fstest.MapFS, _ map[string]string) { fsys[second].Data = []byte(lfsPointer) },
			ErrGitLFS, `model.safetensors.index.json: ` + second + `: a git-lfs pointer, not the file itself: run git lfs pull`},
		{"a shard is a directory", func(fsys fstest.MapFS, _ map[string]string) { fsys[second].Mode = fs.ModeDir },
			nil, `model.safetensors.index.json: ` + second + `: not a regular file (d---------)`},
		{"a tensor is missing", func(fsys fstest.MapFS, shardOf map[string]string) {
			shardOf["more"] = first
			setIndex(t, fsys, shardOf)
		},
			ErrIndex, `model.safetensors.index.json: invalid index: tensor "more" is not in its shard "` + first + `"`},
		{"a tensor is elsewhere", func(fsys fstest.MapFS, shardOf map[string]string) {
			shardOf["f32"] = second
			setIndex(t, fsys, shardOf)
		}, ErrIndex, `model.safetensors.index.json: invalid index: tensor "f32" is not in its shard "` + second + `"`},
		{"a tensor is in two shards", func(fsys fstest.MapFS, shardOf map[string]string) { fsys[second] = fsys[first] },
			ErrIndex, `model.safetensors.index.json: invalid index: tensor "all BOOL" is in two shards, "` + first + `" and "` + second + `"`},
		{"the index is a git-lfs pointer", func(fsys fstest.MapFS, _ map[string]string) { fsys[Own.Index].Data = []byte(lfsPointer) },
			ErrGitLFS, `model.safetensors.index.json: a git-lfs pointer, not the file itself: run git lfs pull`},
		{"the index is a directory", func(fsys fstest.MapFS, _ map[string]string) { fsys[Own.Index].Mode = fs.ModeDir },
			nil, `model.safetensors.index.json: not a regular file (d---------)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys, shardOf := shards(t)
			c.change(fsys, shardOf)
			f, err := OpenCheckpoint(fsys)
			if f != nil || err == nil || c.is != nil && !errors.Is(err, c.is) || err.Error() != "safetensors: "+c.want {
				t.Errorf("error\n%v, want\nsafetensors: %s", err, c.want)
			}
		})
	}
}

func TestParseIndexRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 `invalid index: byte 0: unexpected EOF`,
		"\xff":                             `invalid index: not UTF-8`,
		"[]":                               `invalid index: byte 1: [, want an object`,
		"{}":                               `invalid index: no weight_map, or an empty one`,
		`{} x`:                             `invalid index: byte 3: text after the end`,
		`{"weight_map":{}}`:                `invalid index: no weight_map, or an empty one`,
		`{"weight_map":null}`:              `invalid index: "weight_map": byte 18: null, want an object`,
		`{"weight_map":{"a":1}}`:           `invalid index: "weight_map": "a": byte 20: number 1, want a string`,
		`{"weight_map":{"a":"x"`:           `invalid index: "weight_map": byte 22: unexpected EOF`,
		`{"metadata":` + "[{]":             `invalid index: "metadata": byte 14: invalid character ']'`,
		`{"weight_map":{"a":"x","a":"x"}}`: `invalid index: "weight_map": "a": byte 27: duplicate key`,
		`{"weight_map":{"a":"x"},"weight_map":{}}`: `invalid index: "weight_map": byte 37: duplicate key`,
	} {
		if _, err := parseIndex([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	for _, shard := range []string{
		"", ".", "..", "../../etc/passwd", "/etc/passwd", "./x", "a/b", "a/../b", `..\x`, `\x`, `C:x`, `C:\x`, "x:stream", "x\x00",
	} {
		text, _ := json.Marshal(map[string]any{"weight_map": map[string]string{"t": shard}})
		want := fmt.Sprintf(`invalid index: tensor "t": shard %q is not the name of a file beside the index`, shard)
		if _, err := parseIndex(text); !errors.Is(err, ErrIndex) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Links within the directory and to the blobs of the Hugging Face cache are
// followed; others are not, even to a good shard.
func TestOpenCheckpointLinks(t *testing.T) {
	const second = "model-00002-of-00003.safetensors"
	fsys, _ := shards(t)
	for _, c := range []struct{ target, want string }{
		{"real", ""},
		{"link", ""}, // to real
		{"../../blobs/0a1b-_9", ""},
		{"loop", `safetensors: model.safetensors.index.json: invalid index: shard "loop": too many links`},
		{"none", `safetensors: model.safetensors.index.json: ` + "stat"}, // and what the system says
		{"../outside", `safetensors: model.safetensors.index.json: invalid index: shard "` + second + `" is a link out of the directory, to "../outside"`},
		{"../../blobs/../outside", `safetensors: model.safetensors.index.json: invalid index: shard "` + second + `" is a link out of the directory, to "../../blobs/../outside"`},
		{"ABSOLUTE", `safetensors: model.safetensors.index.json: invalid index: shard "` + second + `" is a link out of the directory, to "`},
	} {
		t.Run(c.target, func(t *testing.T) {
			base := t.TempDir()
			dir := filepath.Join(base, "snapshots", "main")
			if err := os.CopyFS(dir, fsys); err != nil {
				t.Fatal(err)
			}
			data := fsys[second].Data
			for _, copy := range []string{"blobs/0a1b-_9", "outside", "snapshots/outside", "snapshots/main/real"} {
				path := filepath.Join(base, copy)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			target := c.target
			if target == "ABSOLUTE" {
				target = filepath.Join(dir, "real")
			}
			path := filepath.Join(dir, second)
			err := errors.Join(os.Remove(path), os.Symlink(target, path),
				os.Symlink("real", filepath.Join(dir, "link")), os.Symlink("loop", filepath.Join(dir, "loop")))
			if err != nil && runtime.GOOS == "windows" {
				t.Skip(err) // links need a privilege there
			} else if err != nil {
				t.Fatal(err)
			}
			f, err := OpenCheckpoint(os.DirFS(dir))
			if err == nil {
				defer f.Close()
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}
