package hub

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResolveID(t *testing.T) {
	pin := MiniLM().Revision
	for _, c := range []struct {
		name    string
		prepare func(c Cache)
		ask     string
		want    string // "id@commit", or "" for an error
		err     error
		say     []string
	}{
		{
			"ref main", func(c Cache) {
				store(t, c, minilm, oldRev, completeFiles...)
				store(t, c, minilm, newRev, completeFiles...)
				ref(t, c, minilm, "main", newRev)
			}, minilm, minilm + "@" + newRev, nil, nil,
		}, {
			"ref with newline", func(c Cache) {
				store(t, c, minilm, newRev, completeFiles...)
				ref(t, c, minilm, "main", newRev+"\n")
			}, minilm, minilm + "@" + newRev, nil, nil,
		}, {
			"other spelling", func(c Cache) {
				store(t, c, minilm6, newRev, completeFiles...)
				ref(t, c, minilm6, "main", newRev)
			}, minilm, minilm6 + "@" + newRev, nil, nil,
		}, {
			"given spelling first", func(c Cache) {
				store(t, c, minilm, newRev, completeFiles...)
				store(t, c, minilm6, oldRev, completeFiles...)
			}, minilm6, minilm6 + "@" + oldRev, nil, nil,
		}, {
			"other spelling when the first is incomplete", func(c Cache) {
				store(t, c, minilm, newRev, TokenizerFile)
				store(t, c, minilm6, oldRev, completeFiles...)
			}, minilm, minilm6 + "@" + oldRev, nil, nil,
		}, {
			"no ref, the pin", func(c Cache) {
				store(t, c, minilm, oldRev, completeFiles...)
				store(t, c, minilm, pin, completeFiles...)
			}, minilm, minilm + "@" + pin, nil, nil,
		}, {
			"main incomplete, the pin", func(c Cache) {
				store(t, c, minilm, newRev, ConfigFile)
				store(t, c, minilm, pin, completeFiles...)
				ref(t, c, minilm, "main", newRev)
			}, minilm, minilm + "@" + pin, nil, nil,
		}, {
			"no ref, one snapshot", func(c Cache) { store(t, c, "a/b", oldRev, completeFiles...) },
			"a/b", "a/b@" + oldRev, nil, nil,
		}, {
			"no ref, two snapshots", func(c Cache) {
				store(t, c, "a/b", oldRev, completeFiles...)
				store(t, c, "a/b", newRev, completeFiles...)
			}, "a/b", "", ErrNotFound, []string{oldRev, newRev, "main"},
		}, {
			"no organisation", func(c Cache) { store(t, c, "bert", oldRev, completeFiles...) },
			"bert", "bert@" + oldRev, nil, nil,
		}, {
			"commit", func(c Cache) {
				store(t, c, minilm, oldRev, completeFiles...)
				store(t, c, minilm, newRev, completeFiles...)
				ref(t, c, minilm, "main", newRev)
			}, minilm + "@" + oldRev, minilm + "@" + oldRev, nil, nil,
		}, {
			"tag", func(c Cache) {
				store(t, c, "a/b", oldRev, completeFiles...)
				ref(t, c, "a/b", "v1", oldRev)
			}, "a/b@v1", "a/b@" + oldRev, nil, nil,
		}, {
			"pull request", func(c Cache) {
				store(t, c, "a/b", oldRev, completeFiles...)
				ref(t, c, "a/b", "refs/pr/1", oldRev)
			}, "a/b@refs/pr/1", "a/b@" + oldRev, nil, nil,
		}, {
			"a folder of refs is no ref", func(c Cache) {
				store(t, c, "a/b", oldRev, completeFiles...)
				ref(t, c, "a/b", "refs/pr/1", oldRev)
			}, "a/b@refs", "", ErrNotFound, nil,
		}, {
			"below a ref is no ref", func(c Cache) {
				store(t, c, "a/b", oldRev, completeFiles...)
				ref(t, c, "a/b", "main", oldRev)
			}, "a/b@main/x", "", ErrNotFound, nil,
		}, {
			"prefix", func(c Cache) {
				store(t, c, "a/b", oldRev, completeFiles...)
				store(t, c, "a/b", newRev, completeFiles...)
			}, "a/b@1111111a", "a/b@" + newRev, nil, nil,
		}, {
			"ambiguous prefix", func(c Cache) {
				store(t, c, "a/b", oldRev, completeFiles...)
				store(t, c, "a/b", newRev, completeFiles...)
			}, "a/b@1111111", "", ErrNotFound, []string{oldRev, newRev},
		}, {
			"short prefix", func(c Cache) { store(t, c, "a/b", oldRev, completeFiles...) },
			"a/b@111111", "", ErrNotFound, nil,
		}, {
			"commit not there", func(c Cache) { store(t, c, "a/b", oldRev, completeFiles...) },
			"a/b@" + newRev, "", ErrNotFound, []string{newRev, "minilm-metal pull a/b@" + newRev},
		}, {
			"ref to a snapshot not there", func(c Cache) {
				store(t, c, "a/b", oldRev, completeFiles...)
				store(t, c, "a/b", "2"+oldRev[1:], completeFiles...)
				ref(t, c, "a/b", "main", newRev)
			}, "a/b", "", ErrNotFound, nil,
		}, {
			"nothing", func(c Cache) {}, minilm, "", ErrNotFound,
			[]string{"models--cross-encoder--ms-marco-MiniLM-L-6-v2", "models--cross-encoder--ms-marco-MiniLM-L6-v2", "minilm-metal pull " + minilm, "no directory"},
		}, {
			"incomplete", func(c Cache) { store(t, c, minilm, oldRev, ConfigFile) },
			minilm, "", ErrIncomplete, []string{"tokenizer.json or vocab.txt", "model.safetensors", oldRev, "minilm-metal pull"},
		}, {
			"dangling link", func(c Cache) {
				dir := store(t, c, "a/b", oldRev, ConfigFile, TokenizerFile)
				link(t, "../../blobs/gone", filepath.Join(dir, WeightsFile))
			}, "a/b", "", ErrIncomplete, []string{"model.safetensors"},
		}, {
			"link out of the cache", func(c Cache) {
				dir := store(t, c, "a/b", oldRev, ConfigFile, TokenizerFile)
				write(t, filepath.Join(filepath.Dir(c.Dir), "secret"), "x")
				link(t, "../../../../secret", filepath.Join(dir, WeightsFile))
			}, "a/b", "", ErrIncomplete, []string{"model.safetensors", "leads out"},
		}, {
			"of TensorFlow only", func(c Cache) { store(t, c, "a/b", oldRev, ConfigFile, TokenizerFile, "tf_model.h5") },
			"a/b", "", ErrIncomplete, []string{"its weights are in tf_model.h5, in the format of TensorFlow, which is not read"},
		}, {
			"ref that climbs", func(c Cache) {
				store(t, c, "a/b", oldRev, completeFiles...)
				ref(t, c, "a/b", "main", "../../x")
			}, "a/b", "", ErrRef, []string{"../../x", filepath.Join("refs", "main")},
		}, {
			"endless ref", func(c Cache) {
				store(t, c, "a/b", oldRev, completeFiles...)
				ref(t, c, "a/b", "main", strings.Repeat(oldRev, 1000))
			}, "a/b", "", ErrRef, nil,
		}, {
			"climbing id", func(c Cache) {}, "../x", "", ErrNotFound, nil,
		}, {
			"three parts", func(c Cache) {}, "a/b/c", "", ErrID, []string{"at most one"},
		}, {
			"no name", func(c Cache) {}, "", "", ErrID, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache := Cache{Dir: filepath.Join(t.TempDir(), "hub")}
			c.prepare(cache)
			got, err := cache.Resolve(c.ask)
			if c.want != "" {
				if err != nil || got.String() != c.want {
					t.Fatalf("%v, %v; want %s", got, err, c.want)
				}
				if data, err := fs.ReadFile(got.FS(), WeightsFile); err != nil || string(data) != WeightsFile {
					t.Fatalf("weights %q, %v", data, err)
				}
				return
			}
			if !errors.Is(err, c.err) {
				t.Fatalf("%v, %v; want the error %v", got, err, c.err)
			}
			if got != (Snapshot{}) {
				t.Errorf("snapshot %v beside the error", got)
			}
			for _, want := range c.say {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

// A cache without links, as on Windows, and one whose blobs are shared between
// repositories both read like any other.
func TestResolveOtherLayouts(t *testing.T) {
	t.Run("copies", func(t *testing.T) {
		c := Cache{Dir: t.TempDir()}
		for _, file := range completeFiles {
			write(t, filepath.Join(c.snapshot("a/b", oldRev).Dir, file), file)
		}
		if _, err := c.Resolve("a/b"); err != nil {
			t.Error(err)
		}
	})
	t.Run("shared blobs", func(t *testing.T) {
		c := Cache{Dir: t.TempDir()}
		for _, file := range completeFiles {
			write(t, filepath.Join(c.Dir, "blobs", "ab", file), file)
			link(t, "../../blobs/ab/"+file, filepath.Join(c.Repo("a/b"), "blobs", file))
			link(t, "../../blobs/"+file, filepath.Join(c.snapshot("a/b", oldRev).Dir, file))
		}
		if _, err := c.Resolve("a/b"); err != nil {
			t.Error(err)
		}
	})
}

func TestResolveDirectory(t *testing.T) {
	c := Cache{Dir: t.TempDir()}
	dir := t.TempDir()
	if _, err := c.Resolve(dir); !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "config.json, tokenizer.json or vocab.txt, model.safetensors") {
		t.Errorf("empty directory: %v", err)
	}
	write(t, filepath.Join(dir, VocabFile), "x")
	if _, err := c.Find(dir, Tokenizer); err != nil {
		t.Errorf("vocab.txt alone does to tokenize: %v", err)
	}
	write(t, filepath.Join(dir, ConfigFile), "{}")
	write(t, filepath.Join(dir, WeightsFile), "w")
	got, err := c.Resolve(dir + string(filepath.Separator))
	if err != nil || got != (Snapshot{Dir: dir}) || got.String() != dir {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := (Cache{}).Resolve(dir); err != nil || got.Dir != dir {
		t.Errorf("without a cache: %+v, %v", got, err)
	}
	if _, err := c.Resolve(filepath.Join(dir, WeightsFile)); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "directory that holds it") {
		t.Errorf("a file: %v", err)
	}
	if _, err := c.Resolve(filepath.Join(dir, "none")); !errors.Is(err, ErrNotFound) {
		t.Errorf("a path that does not exist: %v", err)
	}
	if _, err := (Cache{}).Resolve("a/b"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an id without a cache: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, ConfigFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ConfigFile), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Resolve(dir); !errors.Is(err, ErrIncomplete) {
		t.Errorf("config.json is a directory: %v", err)
	}
}

// A snapshot named by its path works like one named by its id, also through a
// link and as ".".
func TestResolveSnapshotByPath(t *testing.T) {
	base := t.TempDir()
	if real, err := filepath.EvalSymlinks(base); err == nil {
		base = real
	}
	c := Cache{Dir: filepath.Join(base, "hub")}
	const shard = "model-00001-of-00002.safetensors" // a name that must not leave its place
	dir := store(t, c, "a/b", oldRev, append([]string{shard}, completeFiles...)...)
	link(t, dir, filepath.Join(base, "mine"))
	t.Chdir(dir)
	for _, name := range []string{dir, filepath.Join(base, "mine"), "."} {
		got, err := Cache{}.Resolve(name)
		if err != nil || got.ID != "a/b" || got.Revision != oldRev {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		for _, file := range []string{ConfigFile, shard} {
			if data, err := fs.ReadFile(got.FS(), file); err != nil || string(data) != file {
				t.Errorf("%s: %s holds %q, %v", name, file, data, err)
			}
		}
	}
}

func TestOpenReadsTheEnvironment(t *testing.T) {
	c := Cache{Dir: t.TempDir()}
	store(t, c, "a/b", oldRev, completeFiles...)
	t.Setenv("HF_HUB_CACHE", c.Dir)
	fsys, s, err := Open("a/b", Complete)
	if err != nil || s.Revision != oldRev {
		t.Fatal(s, err)
	}
	if _, err := fs.Stat(fsys, ConfigFile); err != nil {
		t.Error(err)
	}
	if _, _, err := Open("a/c", Complete); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}
