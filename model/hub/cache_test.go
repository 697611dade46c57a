package hub

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestDefaultCache(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		home string
		want string // "" for an error
	}{
		{"home", nil, "/home/u", "/home/u/.cache/huggingface/hub"},
		{"nothing", nil, "", ""},
		{"xdg", map[string]string{"XDG_CACHE_HOME": "/x"}, "/home/u", "/x/huggingface/hub"},
		{"hf_home", map[string]string{"HF_HOME": "/hf", "XDG_CACHE_HOME": "/x"}, "", "/hf/hub"},
		{"hub cache", map[string]string{"HF_HUB_CACHE": "/c", "HF_HOME": "/hf"}, "", "/c"},
		{"old name", map[string]string{"HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/hf"}, "", "/old"},
		{"new before old", map[string]string{"HUGGINGFACE_HUB_CACHE": "/old", "HF_HUB_CACHE": "/c"}, "", "/c"},
		{"empty is unset", map[string]string{"HF_HUB_CACHE": "", "HF_HOME": "/hf"}, "", "/hf/hub"},
		{"tilde", map[string]string{"HF_HOME": "~/hf"}, "/home/u", "/home/u/hf/hub"},
		{"tilde alone", map[string]string{"HF_HUB_CACHE": "~"}, "/home/u", "/home/u"},
		{"tilde without home", map[string]string{"HF_HOME": "~/hf"}, "", ""},
		{"variable", map[string]string{"HF_HOME": "$SCRATCH/hf", "SCRATCH": "/s"}, "", "/s/hf/hub"},
		{"unset variable", map[string]string{"HF_HOME": "/a/$NONE"}, "", "/a/$NONE/hub"},
	} {
		got, err := DefaultCache(func(k string) string { return c.env[k] }, c.home)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: %+v, want an error", c.name, got)
			}
		} else if err != nil || got.Dir != filepath.FromSlash(c.want) {
			t.Errorf("%s: %q, %v; want %q", c.name, got.Dir, err, c.want)
		}
	}
}

func TestList(t *testing.T) {
	if got, err := (Cache{Dir: filepath.Join(t.TempDir(), "none")}).List(); err != nil || len(got) != 0 {
		t.Errorf("no cache: %v, %v", got, err)
	}
	if got, err := (Cache{}).List(); err != nil || len(got) != 0 {
		t.Errorf("zero cache: %v, %v", got, err)
	}
	c := Cache{Dir: t.TempDir()}
	store(t, c, "b/c", oldRev, completeFiles...)
	store(t, c, "a/b", newRev, ConfigFile)
	store(t, c, "a/b", oldRev, completeFiles...)
	store(t, c, "gpt2", oldRev, completeFiles...)
	write(t, filepath.Join(c.Dir, "models--x--y", "snapshots", "main", ConfigFile), "")
	write(t, filepath.Join(c.Dir, "models--x--y--z", "snapshots", oldRev, ConfigFile), "")
	write(t, filepath.Join(c.Dir, "datasets--x--y", "snapshots", oldRev, ConfigFile), "")
	write(t, filepath.Join(c.Dir, "models--no--snapshots", "refs", "main"), oldRev)
	write(t, filepath.Join(c.Dir, "version.txt"), "1")
	all, err := c.List()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range all {
		got = append(got, s.String())
	}
	want := "a/b@" + oldRev + " a/b@" + newRev + " b/c@" + oldRev + " gpt2@" + oldRev
	if strings.Join(got, " ") != want {
		t.Errorf("List: %s\nwant  %s", strings.Join(got, " "), want)
	}
}
