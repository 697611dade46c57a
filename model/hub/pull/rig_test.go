package pull

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

const (
	testID     = "test-org/tiny-reranker"
	testCommit = "0123456789abcdef0123456789abcdef01234567"
	testToken  = "hf_testTokenNotSecret"
	weightLen  = 3_000_000 // bytes: several chunks, more than progressMade
)

// weights returns a copy of the served model.safetensors.
func weights() []byte { return slices.Clone(served()) }

var served = sync.OnceValue(func() []byte {
	data := make([]byte, weightLen)
	state := uint32(1)
	for i := range data {
		state = state*1664525 + 1013904223
		data[i] = byte(state >> 24)
	}
	return data
})

// tinyFiles is a served checkpoint, with files that a pull leaves alone.
func tinyFiles() fstest.MapFS {
	return fstest.MapFS{
		hub.ConfigFile:          {Data: []byte(`{"model_type":"bert"}`)},
		hub.TokenizerFile:       {Data: []byte(`{"version":"1.0"}`)},
		hub.TokenizerConfigFile: {Data: []byte(`{}`)},
		hub.VocabFile:           {Data: []byte("[PAD]\n[UNK]\n")},
		hub.WeightsFile:         {Data: weights()},
		"pytorch_model.bin":     {Data: []byte("not this one")},
		"README.md":             {Data: []byte("nor this")},
		"onnx/config.json":      {Data: []byte(`{"onnx":true}`)},
	}
}

// rig is a server, an empty cache, and what Pull told of itself.
type rig struct {
	*pulltest.Server
	Options
	weights []byte // what is served as model.safetensors
	pauses  []time.Duration
	done    map[string]int64
}

func newRig(t *testing.T, repos ...pulltest.Repo) *rig {
	t.Helper()
	return rigOf(t, pulltest.New, repos)
}

// newMemoryRig is newRig for a bubble of testing/synctest, in which a test waits
// on no clock. What needs a real connection, such as TLS, takes newRig.
func newMemoryRig(t *testing.T, repos ...pulltest.Repo) *rig {
	t.Helper()
	return rigOf(t, pulltest.NewInMemory, repos)
}

// newSmallRig is newRig with weights of few bytes, for tests of the disk.
func newSmallRig(t *testing.T) *rig {
	t.Helper()
	files := tinyFiles()
	files[hub.WeightsFile] = &fstest.MapFile{Data: []byte("weights")}
	b := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
	b.weights = files[hub.WeightsFile].Data
	return b
}

func rigOf(t *testing.T, serve func(testing.TB, ...pulltest.Repo) *pulltest.Server, repos []pulltest.Repo) *rig {
	t.Helper()
	if len(repos) == 0 {
		repos = []pulltest.Repo{{ID: testID, Commit: testCommit, Files: tinyFiles()}}
	}
	b := &rig{Server: serve(t, repos...), weights: served(), done: map[string]int64{}}
	b.Options = Options{
		Client: b.Caller,
		ID:     repos[0].ID, Endpoint: b.URL, Cache: hub.Cache{Dir: filepath.Join(t.TempDir(), "hub")},
		Sleep: func(ctx context.Context, d time.Duration) error {
			b.pauses = append(b.pauses, d)
			return ctx.Err()
		},
		Progress: func(file string, done, total int64) {
			if done > total || total == 0 {
				t.Errorf("%s: %d of %d bytes", file, done, total)
			}
			b.done[file] = done
		},
	}
	return b
}

func (b *rig) pull() (hub.Snapshot, error) { return Pull(context.Background(), b.Options) }

// mustPull pulls, and checks that the cache then has the served weights.
func (b *rig) mustPull(t *testing.T) hub.Snapshot {
	t.Helper()
	got, err := b.pull()
	if err != nil {
		t.Fatal(err)
	}
	data, err := fs.ReadFile(got.FS(), hub.WeightsFile)
	if err != nil || !bytes.Equal(data, b.weights) {
		t.Fatalf("the pulled weights differ from the served ones (%d bytes, %v)", len(data), err)
	}
	if parts, _ := filepath.Glob(filepath.Join(b.Cache.Repo(got.ID), "blobs", "*.incomplete")); len(parts) > 0 {
		t.Errorf("left behind: %q", parts)
	}
	return got
}

// ranges lists the Range headers of the GET requests that storage received.
func (b *rig) ranges() []string {
	var all []string
	for _, r := range b.Requests() {
		if r.Storage && r.Method == "GET" {
			all = append(all, r.Range)
		}
	}
	return all
}

// part is where the weights are while they are incomplete.
func (b *rig) part(t *testing.T) string {
	t.Helper()
	etag, err := pulltest.Etag(bytes.NewReader(b.weights), hub.WeightsFile, int64(len(b.weights)))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(b.Cache.Repo(b.ID), "blobs", etag+".incomplete")
}

// tree lists the files below dir, links with their target.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if target, linkErr := os.Readlink(path); linkErr == nil {
			name += " -> " + target
		}
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// needLinks skips the test where symbolic links cannot be made.
func needLinks(t *testing.T) {
	t.Helper()
	if err := os.Symlink("x", filepath.Join(t.TempDir(), "link")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

func etagOf(t *testing.T, file string) (string, int64) {
	t.Helper()
	data := tinyFiles()[file].Data
	etag, err := pulltest.Etag(bytes.NewReader(data), file, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return etag, int64(len(data))
}

// bubble runs a subtest in a bubble of testing/synctest.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// plantPart leaves part of the weights, as an earlier pull may have.
func (b *rig) plantPart(t *testing.T, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(b.part(t)), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.part(t), content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// mustPullFiles pulls what Options.Files lists.
func (b *rig) mustPullFiles(t *testing.T) hub.Snapshot {
	t.Helper()
	got, err := b.pull()
	if err != nil {
		t.Fatal(err)
	}
	return got
}
