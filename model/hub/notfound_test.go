package hub

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What was not found is said in words of what was asked for.
func TestNotFoundSays(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	cache := Cache{Dir: filepath.Join(dir, "cache")}
	write(t, "file", "")
	link(t, "nowhere", "dangling")
	for _, folder := range []string{"empty", "cache/models--org--none/snapshots", "cache/models--org--many"} {
		if err := os.MkdirAll(filepath.FromSlash(folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 7 {
		store(t, cache, "org/many", strings.Repeat(string(rune('0'+i)), 40), completeFiles...)
	}
	here := func(path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }
	for _, c := range []struct {
		ask, want string
		is        error
	}{
		{"", "hub: model not found: the name is empty, which is not a hub id", ErrID},
		{here("none"), "model not found: no directory \"" + here("none") + `": `, fs.ErrNotExist},
		{"./none", `model not found: no directory "./none": `, fs.ErrNotExist},
		{"../none", `model not found: no directory "../none": `, fs.ErrNotExist},
		{"org/none/", `model not found: no directory "org/none/": `, fs.ErrNotExist},
		{"~/none", `model not found: no directory (~ is for a shell to replace) "~/none": `, fs.ErrNotExist},
		{"https://example.org/org/none", `model not found: give the id alone, org/name, and not a URL like "https://`, ErrNotFound},
		{"dangling", `model not found: nothing at "nowhere", which is where this link leads: "dangling": `, fs.ErrNotExist},
		{"file", `model not found: "file" is a file; give the directory that holds it`, ErrNotFound},
		{"empty", "hub: empty lacks config.json, tokenizer.json or vocab.txt, model.safetensors", ErrIncomplete},
		{"cache/models--org--none", "it is the folder of org/none in a cache: give that id, or one of its snapshots", ErrIncomplete},
		{"org/none", cache.Repo("org/none") + " has no snapshot; run", ErrNotFound},
		{"org/none@v1", cache.Repo("org/none") + " has no snapshot; run", ErrNotFound},
		{"org/many", "has no snapshot of revision main, but of " + strings.Repeat("0", 40) + ", ", ErrNotFound},
		{"org/many@v1", strings.Repeat("4", 40) + " and 2 more; run", ErrNotFound},
		{"a/b/c", `not a hub id: "a/b/c" has 2 slashes`, ErrID},
	} {
		_, err := cache.Resolve(c.ask)
		if err == nil || !errors.Is(err, c.is) || !strings.HasPrefix(err.Error(), "hub: ") || !strings.Contains(err.Error(), filepath.FromSlash(c.want)) {
			t.Errorf("%s: %v\nwant %s", c.ask, err, c.want)
		}
		if c.is == fs.ErrNotExist && strings.Contains(err.Error(), "hub id") {
			t.Errorf("%s: %v", c.ask, err)
		}
	}
}
