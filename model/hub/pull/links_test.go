package pull

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

// outside is a folder beside the cache, with a file in it that no pull may touch.
type outside struct{ dir, file string }

const outsideContent = "somebody else's"

func newOutside(t *testing.T) outside {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "precious")
	if err := os.WriteFile(file, []byte(outsideContent), 0o666); err != nil {
		t.Fatal(err)
	}
	return outside{dir, file}
}

// check checks that the folder holds what it held.
func (o outside) check(t *testing.T) {
	t.Helper()
	if got := tree(t, o.dir); !slices.Equal(got, []string{"precious"}) {
		t.Errorf("outside of the cache there are now %q", got)
	}
	if data, err := os.ReadFile(o.file); err != nil || string(data) != outsideContent {
		t.Errorf("the file outside of the cache holds %.40q, %v", data, err)
	}
}

// plant makes a symbolic link and the folders above it.
func plant(t *testing.T, target, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// Whoever can write to the cache can plant links in it. A file's link is
// replaced, a folder's is refused, and neither is written through.
func TestNothingIsWrittenThroughLinks(t *testing.T) {
	needLinks(t)
	model, err := pulltest.Etag(strings.NewReader("weights"), hub.WeightsFile, 7)
	if err != nil {
		t.Fatal(err)
	}
	config, _ := etagOf(t, hub.ConfigFile)
	const repo = "models--test-org--tiny-reranker"
	for _, c := range []struct {
		name  string
		link  string // in the cache, to the file outside, or the folder with a slash at its end
		fails bool
	}{
		{"partial file", repo + "/blobs/" + model + ".incomplete", false},
		{"partial small file", repo + "/blobs/" + config + ".incomplete", false},
		{"blob", repo + "/blobs/" + model, false},
		{"copy of a blob", repo + "/blobs/" + model + ".copy", false},
		{"file of the snapshot", repo + "/snapshots/" + testCommit + "/config.json", false},
		{"ref", repo + "/refs/main", false},
		{"mark of absence", repo + "/.no_exist/" + testCommit + "/special_tokens_map.json", false},
		{"lock", ".locks/" + repo + "/" + config + ".lock", false},
		{"blobs", repo + "/blobs/", true},
		{"snapshots", repo + "/snapshots/", true},
		{"snapshot", repo + "/snapshots/" + testCommit + "/", true},
		{"refs", repo + "/refs/", true},
		{"marks of absence", repo + "/.no_exist/", false}, // which are not needed
		{"locks", ".locks/", true},
		{"locks of the model", ".locks/" + repo + "/", true},
		{"model", repo + "/", true},
	} {
		for _, dangling := range []bool{false, true} {
			t.Run(c.name+map[bool]string{true: ", dangling"}[dangling], func(t *testing.T) {
				o, r := newOutside(t), newSmallRig(t)
				name, folder := strings.CutSuffix(c.link, "/")
				target := o.file
				if folder {
					target = o.dir
				}
				if dangling {
					target = filepath.Join(o.dir, "new")
				}
				plant(t, target, filepath.Join(r.Cache.Dir, filepath.FromSlash(name)))
				if !c.fails {
					r.mustPull(t)
				} else if _, err := r.pull(); err == nil || !strings.Contains(err.Error(), filepath.FromSlash(name)+" is no folder but a link") {
					t.Errorf("%v", err)
				}
				o.check(t)
			})
		}
	}
}

// A link that stays within the cache is no better: its target is another blob.
func TestPartLinkedToAnotherBlob(t *testing.T) {
	needLinks(t)
	r := newSmallRig(t)
	other := filepath.Join(r.Cache.Dir, "models--other--model", "blobs", "blob")
	if err := os.MkdirAll(filepath.Dir(other), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, r.weights[:3], 0o666); err != nil {
		t.Fatal(err)
	}
	plant(t, filepath.FromSlash("../../models--other--model/blobs/blob"), r.part(t))
	r.mustPull(t)
	if info, err := os.Stat(other); err != nil || info.Size() != 3 {
		t.Errorf("the other model's blob: %v, %v", info, err)
	}
}

// A second name of a file elsewhere is a link too, where the system tells.
func TestPartOfTwoNames(t *testing.T) {
	for _, content := range [][]byte{[]byte(outsideContent), []byte("wei")} {
		o, r := newOutside(t), newSmallRig(t)
		if err := os.WriteFile(o.file, content, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(r.part(t)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(o.file, r.part(t)); err != nil {
			t.Skipf("no hard links here: %v", err)
		}
		if info, err := os.Stat(o.file); err != nil || hardLinks(info) != 2 {
			t.Skipf("hard links are not counted here: %v", err)
		}
		r.mustPull(t)
		if data, err := os.ReadFile(o.file); err != nil || !slices.Equal(data, content) {
			t.Errorf("the other name's file holds %d bytes, %v; want %d", len(data), err, len(content))
		}
	}
}

// The same where a snapshot holds copies.
func TestCopiesAreNotWrittenThroughLinks(t *testing.T) {
	needLinks(t)
	o, r := newOutside(t), newSmallRig(t)
	r.Files = []string{hub.ConfigFile}
	r.mustPullFiles(t)
	p, err := newPuller(r.Options)
	if err != nil {
		t.Fatal(err)
	}
	p.store.symlink = func(*os.Root, string, string) error { return errors.New("no links") }
	etag, size := etagOf(t, hub.ConfigFile)
	second := strings.Repeat("e", 40)
	plant(t, o.file, p.store.blob(etag)+".copy")
	plant(t, o.file, p.store.file(second, hub.ConfigFile))
	if err := p.fetch(t.Context(), hub.ConfigFile, metadata{commit: second, etag: etag, size: size}); err != nil {
		t.Fatal(err)
	}
	o.check(t)
	if info, err := os.Lstat(p.store.file(second, hub.ConfigFile)); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the snapshot shows %v, %v", info, err)
	}
}

// The folder that the user named as the cache may be a link: it is the user's.
func TestCacheMayBeALink(t *testing.T) {
	needLinks(t)
	r := newSmallRig(t)
	real := t.TempDir()
	plant(t, real, r.Cache.Dir)
	r.mustPull(t)
	if got := tree(t, real); len(got) == 0 {
		t.Error("nothing is in the folder that the cache links to")
	}
}
