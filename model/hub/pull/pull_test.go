package pull

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

// The cache after a pull, file for file as huggingface_hub lays it out.
func TestPullLayout(t *testing.T) {
	needLinks(t)
	b := newRig(t)
	got := b.mustPull(t)
	if got.ID != testID || got.Revision != testCommit {
		t.Errorf("snapshot %+v", got)
	}
	found, err := b.Cache.Resolve(testID)
	if err != nil || found != got {
		t.Errorf("the cache resolves to %+v, %v; pulled %+v", found, err, got)
	}
	// Hashes by git hash-object and sha256sum, not by this program.
	const (
		config  = "3967ff7fee9d40eb77abadd6a292230496ca9f24"
		tok     = "22ec89ab90889036bc14d5b1bb6109974ef95582"
		tokConf = "9e26dfeeb6e641a33dae4961196235bdb965b21b"
		vocab   = "9b63652e4599b6f141f83f77374ca035004e0c8f"
		model   = "24aa893f1dc46a17f554b13330a3811df67fb5da7350d5b6bd419d408fe340a5"
	)
	snapshot := "models--test-org--tiny-reranker/snapshots/" + testCommit + "/"
	blobs := "models--test-org--tiny-reranker/blobs/"
	locks := ".locks/models--test-org--tiny-reranker/"
	want := []string{
		locks + config + ".lock", locks + tok + ".lock", locks + tokConf + ".lock", locks + vocab + ".lock", locks + model + ".lock",
		blobs + config, blobs + tok, blobs + tokConf, blobs + vocab, blobs + model,
		"models--test-org--tiny-reranker/.no_exist/" + testCommit + "/modules.json",
		"models--test-org--tiny-reranker/.no_exist/" + testCommit + "/special_tokens_map.json",
		"models--test-org--tiny-reranker/refs/main",
		snapshot + "config.json -> ../../blobs/" + config,
		snapshot + "tokenizer.json -> ../../blobs/" + tok,
		snapshot + "tokenizer_config.json -> ../../blobs/" + tokConf,
		snapshot + "vocab.txt -> ../../blobs/" + vocab,
		snapshot + "model.safetensors -> ../../blobs/" + model,
	}
	have := tree(t, b.Cache.Dir)
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(have, want) {
		t.Errorf("the cache holds\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	if ref, err := os.ReadFile(filepath.Join(b.Cache.Repo(testID), "refs", "main")); err != nil || string(ref) != testCommit {
		t.Errorf("refs/main holds %q, %v", ref, err)
	}
	if b.done[hub.WeightsFile] != weightLen || b.done[hub.VocabFile] != 12 {
		t.Errorf("progress ended at %v", b.done)
	}
	for _, r := range b.Requests() {
		if r.Accept != "identity" {
			t.Errorf("%s %s asks for the encoding %q", r.Method, r.Path, r.Accept)
		}
	}
}

func TestSecondPull(t *testing.T) {
	b := newRig(t)
	b.mustPull(t)
	b.Requests()

	b.mustPull(t) // main may have moved: one question
	if got := b.Requests(); len(got) != 1 || got[0].Method != "HEAD" || got[0].File != hub.ConfigFile {
		t.Errorf("a second pull of main requests %+v", got)
	}
	b.Revision = testCommit // a commit never moves
	b.done = map[string]int64{}
	b.mustPull(t)
	if got := b.Requests(); len(got) != 0 {
		t.Errorf("a second pull of a commit requests %+v", got)
	}
	if b.done[hub.WeightsFile] != weightLen {
		t.Errorf("progress of a second pull: %v", b.done)
	}
}

func TestRevisions(t *testing.T) {
	for _, c := range []struct {
		id, revision string
		ref          string // file below refs/, "" for none
		path         string // of a first request
	}{
		{testID, "", "main", "/resolve/main/config.json"},
		{testID, "v1.0", "v1.0", "/resolve/v1.0/config.json"},
		{testID + "@v1.0", "", "v1.0", "/resolve/v1.0/config.json"},
		{testID, "refs/pr/1", "refs/pr/1", "/resolve/refs%2Fpr%2F1/config.json"},
		{testID, testCommit, "", "/resolve/" + testCommit + "/config.json"},
		{testID, testCommit[:7], testCommit[:7], "/resolve/" + testCommit[:7] + "/config.json"},
	} {
		b := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: tinyFiles(), Refs: []string{"main", "v1.0", "refs/pr/1"}})
		b.ID, b.Revision = c.id, c.revision
		b.mustPull(t)
		if got := b.Requests()[0].Path; !strings.HasSuffix(got, c.path) {
			t.Errorf("%+v: asks for %s", c, got)
		}
		var refs []string
		if dir := filepath.Join(b.Cache.Repo(testID), "refs"); c.ref != "" {
			refs = tree(t, dir)
		}
		if c.ref != "" && !slices.Equal(refs, []string{c.ref}) {
			t.Errorf("%+v: refs are %q", c, refs)
		}
		name := testID
		if c.ref != "" {
			name += "@" + c.ref
		}
		if got, err := b.Cache.Resolve(name); err != nil || got.Revision != testCommit {
			t.Errorf("%+v: %s resolves to %v, %v", c, name, got, err)
		}
	}
}

// Every file is of the commit that the first answer named, though main moves.
func TestMovingBranch(t *testing.T) {
	b := newRig(t)
	other := strings.Repeat("f", 40)
	b.Fault(pulltest.Fault{File: hub.TokenizerFile, Do: pulltest.Header("X-Repo-Commit", other)})
	if _, err := b.pull(); !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), other) || !strings.Contains(err.Error(), testCommit) {
		t.Error(err)
	}
	for _, r := range b.Requests()[1:] {
		if !strings.Contains(r.Path, "/resolve/"+testCommit+"/") {
			t.Errorf("asks for %s", r.Path)
		}
	}
}

func TestRenamedRepository(t *testing.T) {
	b := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: tinyFiles(), Aliases: []string{"old-org/old-name"}, Token: testToken})
	b.ID, b.Token = "old-org/old-name", testToken
	if got := b.mustPull(t); got.ID != "old-org/old-name" {
		t.Errorf("kept as %s", got.ID)
	}
}

func TestShardedWeights(t *testing.T) {
	files := tinyFiles()
	delete(files, hub.WeightsFile)
	files[hub.IndexFile] = &fstest.MapFile{Data: []byte(`{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors","c":"model-1.safetensors"}}`)}
	files["model-1.safetensors"] = &fstest.MapFile{Data: []byte("one")}
	files["model-2.safetensors"] = &fstest.MapFile{Data: []byte("two")}
	b := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
	got, err := b.pull()
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(hub.Complete); err != nil {
		t.Error(err)
	}

	files[hub.IndexFile] = &fstest.MapFile{Data: []byte(`{"weight_map":{"a":"../../../../x.safetensors"}}`)}
	b = newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
	if _, err := b.pull(); err == nil || !strings.Contains(err.Error(), "not the name of a file beside the index") {
		t.Errorf("a shard that climbs: %v", err)
	}
	delete(files, hub.IndexFile)
	delete(files, hub.PickleFile)
	b = newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
	if _, err := b.pull(); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "neither model.safetensors nor") {
		t.Errorf("no weights: %v", err)
	}
}

// PyTorch's weights come where there are no others, in one file or in several, and are then
// found in the cache without the hub.
func TestPickledWeights(t *testing.T) {
	one := tinyFiles()
	delete(one, hub.WeightsFile)
	several := tinyFiles()
	delete(several, hub.WeightsFile)
	delete(several, hub.PickleFile)
	several[hub.PickleIndexFile] = &fstest.MapFile{Data: []byte(`{"weight_map":{"a":"pytorch_model-1.bin","b":"pytorch_model-2.bin"}}`)}
	several["pytorch_model-1.bin"], several["pytorch_model-2.bin"] = &fstest.MapFile{Data: []byte("one")}, &fstest.MapFile{Data: []byte("two")}
	for _, c := range []struct {
		files fstest.MapFS
		want  []string
	}{{tinyFiles(), []string{hub.WeightsFile}}, {one, []string{hub.PickleFile}}, {several, []string{"pytorch_model-1.bin", "pytorch_model-2.bin", hub.PickleIndexFile}}} {
		b := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: c.files})
		for _, offline := range []bool{false, true} {
			b.Offline, b.done = offline, map[string]int64{}
			got, err := b.pull()
			if err != nil || got.Check(hub.Complete) != nil {
				t.Fatalf("offline %t: %v, %v", offline, err, got.Check(hub.Complete))
			}
			var weights []string
			for name := range b.done {
				if strings.Contains(name, "model") && !strings.HasPrefix(name, "modules") {
					weights = append(weights, name)
				}
			}
			if slices.Sort(weights); !slices.Equal(weights, c.want) {
				t.Errorf("offline %t: %q, want %q", offline, weights, c.want)
			}
		}
	}
	several[hub.PickleIndexFile] = &fstest.MapFile{Data: []byte(`{"weight_map":{"a":"x.safetensors"}}`)}
	b := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: several})
	if _, err := b.pull(); err == nil || !strings.Contains(err.Error(), "want a plain name ending in .bin") {
		t.Errorf("a shard of the other format: %v", err)
	}
}

func TestListedFiles(t *testing.T) {
	needLinks(t)
	files := tinyFiles()
	files["empty.txt"] = &fstest.MapFile{}
	b := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
	b.Progress = nil
	b.Files = []string{"onnx/config.json", "empty.txt"}
	got, err := b.pull()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"empty.txt -> ../../blobs/e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", // git's well-known hash of nothing
		"onnx/config.json -> ../../../blobs/",
	}
	have := tree(t, got.Dir)
	if len(have) != 2 || have[0] != want[0] || !strings.HasPrefix(have[1], want[1]) {
		t.Errorf("the snapshot holds %q, want %q", have, want)
	}
	if data, err := fs.ReadFile(got.FS(), "onnx/config.json"); err != nil || string(data) != `{"onnx":true}` {
		t.Errorf("%q, %v", data, err)
	}
	b.Files = []string{"none.json"}
	if _, err := b.pull(); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "none.json") {
		t.Error(err)
	}
}

// A repository that is no such model is known for one before its weights come.
func TestNoTokenizer(t *testing.T) {
	files := tinyFiles()
	delete(files, hub.TokenizerFile)
	delete(files, hub.VocabFile)
	b := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
	if _, err := b.pull(); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "tokenizer.json or vocab.txt") {
		t.Error(err)
	}
	if got := b.ranges(); len(got) > 0 {
		t.Error("the weights were fetched")
	}
}

// The pinned commit is the default for its id, and its weights must be the
// pinned ones whatever the hub says.
func TestPin(t *testing.T) {
	pin := hub.MiniLM()
	for _, id := range hub.Spellings(pin.ID) {
		b := newRig(t, pulltest.Repo{ID: id, Commit: pin.Revision, Files: tinyFiles()})
		_, err := b.pull()
		if !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), pin.SHA256) || !strings.Contains(err.Error(), "90870598") {
			t.Errorf("%s: %v", id, err)
		}
		if got := b.ranges(); len(got) > 0 {
			t.Error("the wrong weights were fetched")
		}
		b.Fault(pulltest.Fault{File: hub.WeightsFile, Method: "HEAD", Do: pulltest.Status(
			200, "X-Repo-Commit", pin.Revision, "X-Linked-Etag", pin.SHA256, "X-Linked-Size", "90870598")})
		if _, err = b.pull(); !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "want 90870598") {
			t.Errorf("%s: a lie about the pinned file: %v", id, err)
		}
		if _, err := b.Cache.Resolve(id); !errors.Is(err, hub.ErrIncomplete) {
			t.Errorf("after the refusal the cache resolves: %v", err)
		}
	}

	// Nor are other weights taken that the cache already shows at the pin.
	b := newRig(t, pulltest.Repo{ID: pin.ID, Commit: pin.Revision, Files: tinyFiles()})
	dir := filepath.Join(b.Cache.Repo(pin.ID), "snapshots", pin.Revision)
	if err := os.CopyFS(dir, tinyFiles()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.pull(); !errors.Is(err, ErrMismatch) {
		t.Errorf("other weights at the pin: %v", err)
	}

	b = newRig(t, pulltest.Repo{ID: pin.ID, Commit: testCommit, Files: tinyFiles()})
	if _, err := b.pull(); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), pin.Revision) {
		t.Errorf("a hub without the pinned commit: %v", err)
	}
	b.Revision = "main"
	b.mustPull(t) // another commit is not held to the pin
}

// A default pull of the pinned commit says nothing about main, unless nothing
// else does.
func TestPinAndMain(t *testing.T) {
	pin := hub.MiniLM()
	b := newRig(t, pulltest.Repo{ID: pin.ID, Commit: pin.Revision, Files: tinyFiles()})
	b.Files = []string{hub.ConfigFile}
	main := filepath.Join(b.Cache.Repo(pin.ID), "refs", "main")
	for _, want := range []string{pin.Revision, testCommit} {
		if want == testCommit {
			if err := os.WriteFile(main, []byte(want), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.pull(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(main); err != nil || string(got) != want {
			t.Errorf("refs/main is %q, %v; want %q", got, err, want)
		}
	}
}
