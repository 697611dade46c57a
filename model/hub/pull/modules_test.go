package pull

import (
	"fmt"
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

// What sentence-transformers wrote beside a checkpoint changes its scores, or has it
// refused: without these files a pulled model would be another than the hub's.
func TestModulesArePulled(t *testing.T) {
	needLinks(t)
	settings := []string{hub.ModulesFile, hub.LibrarySettingsFile, hub.InputSettingsFile}
	for _, modular := range []bool{true, false} {
		files := tinyFiles()
		files[hub.LibrarySettingsFile] = &fstest.MapFile{Data: []byte(`{"model_type":"CrossEncoder"}`)}
		files[hub.InputSettingsFile] = &fstest.MapFile{Data: []byte(`{"do_lower_case":true}`)}
		if modular {
			files[hub.ModulesFile] = &fstest.MapFile{Data: []byte(`[]`)}
		}
		r := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
		got := r.mustPull(t).FS()
		for _, file := range settings {
			switch _, err := fs.Stat(got, file); {
			case modular && err != nil:
				t.Error(err)
			case !modular && err == nil: // nothing reads it
				t.Errorf("%s is there without %s", file, hub.ModulesFile)
			}
		}
		for _, q := range r.Requests() {
			if !modular && slices.Contains(settings[1:], q.File) {
				t.Errorf("%s is asked for without %s", q.File, hub.ModulesFile)
			}
		}
		if r.Offline = true; modular {
			r.mustPull(t)
		}
	}
}

// The pinned commit has no such files. Where a cache has the rest, as huggingface_hub
// leaves it, the hub is not asked.
func TestPinnedCommitHasNoModules(t *testing.T) {
	pin := hub.MiniLM()
	r := newRig(t, pulltest.Repo{ID: pin.ID, Commit: pin.Revision, Files: tinyFiles()})
	if _, err := r.pull(); err == nil {
		t.Fatal("other weights were taken for the pinned ones")
	}
	for _, q := range r.Requests() {
		if q.File == hub.ModulesFile {
			t.Errorf("%s %s", q.Method, q.Path)
		}
	}
}

// The folders of modules come, too, as far as a model may be made of what is in them, and
// one that has the model itself with all of its files.
func TestModuleFoldersArePulled(t *testing.T) {
	needLinks(t)
	const module = `{"type":"sentence_transformers.models.%s","path":"%s"}`
	list := "[" + fmt.Sprintf(module, "Transformer", "0_Transformer") + "," + fmt.Sprintf(module, "Pooling", "1_Pooling") + "," + fmt.Sprintf(module, "Dense", "deep/2_Dense") + "," + fmt.Sprintf(module, "Dense", "3_Dense") + "," + fmt.Sprintf(module, "Normalize", "4_Normalize") + "]"
	files := fstest.MapFS{
		hub.ModulesFile:                  {Data: []byte(list)},
		hub.LibrarySettingsFile:          {Data: []byte(`{"model_type":"CrossEncoder"}`)},
		"1_Pooling/config.json":          {Data: []byte(`{"pooling_mode":"mean"}`)},
		"deep/2_Dense/config.json":       {Data: []byte(`{"in_features":32}`)},
		"deep/2_Dense/model.safetensors": {Data: []byte("dense")},
		"deep/2_Dense/pytorch_model.bin": {Data: []byte("the same once more")},
		"deep/2_Dense/optimizer.pt":      {Data: []byte("not this one")},
		"3_Dense/config.json":            {Data: []byte(`{"in_features":16}`)},
		"3_Dense/pytorch_model.bin":      {Data: []byte("pickled")},
	}
	want := []string{hub.ModulesFile, hub.LibrarySettingsFile, "1_Pooling/config.json", "deep/2_Dense/config.json", "deep/2_Dense/model.safetensors", "3_Dense/config.json", "3_Dense/pytorch_model.bin"}
	for _, name := range []string{hub.ConfigFile, hub.TokenizerFile, hub.TokenizerConfigFile, hub.VocabFile} {
		files["0_Transformer/"+name] = tinyFiles()[name]
		want = append(want, "0_Transformer/"+name)
	}
	files["0_Transformer/sentence_roberta_config.json"] = &fstest.MapFile{Data: []byte(`{"do_lower_case":true}`)}
	files["0_Transformer/"+hub.IndexFile] = &fstest.MapFile{Data: []byte(`{"weight_map":{"a":"model-1.safetensors"}}`)}
	files["0_Transformer/model-1.safetensors"] = &fstest.MapFile{Data: []byte("weights")}
	want = append(want, "0_Transformer/sentence_roberta_config.json", "0_Transformer/"+hub.IndexFile, "0_Transformer/model-1.safetensors")
	r := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
	for _, offline := range []bool{false, true} {
		r.Offline = offline
		got, err := r.pull()
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		err = fs.WalkDir(os.DirFS(got.Dir), ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				have = append(have, name)
			}
			return err
		})
		slices.Sort(have)
		slices.Sort(want)
		if err != nil || !slices.Equal(have, want) {
			t.Errorf("%v, %v, want %v", have, err, want)
		}
		if err := got.Check(hub.Complete); err != nil {
			t.Error(err)
		}
	}
	// Weights that are damaged are seen without the hub, in those folders too.
	for _, name := range []string{"0_Transformer/model-1.safetensors", "3_Dense/pytorch_model.bin"} {
		link := filepath.Join(r.Cache.Repo(testID), "snapshots", testCommit, filepath.FromSlash(name))
		whole, err := os.ReadFile(link)
		if err == nil {
			err = os.WriteFile(link, []byte("other"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.pull(); err == nil || !strings.Contains(err.Error(), "is damaged") {
			t.Errorf("%s: damaged: %v", name, err)
		}
		if err := os.WriteFile(link, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A config.json at the top, as some have beside their modules for a site that counts
// downloads by it, does not make the top the model's folder.
func TestModuleFolderBesideConfig(t *testing.T) {
	needLinks(t)
	files := fstest.MapFS{
		hub.ConfigFile:          {Data: []byte(`{}`)},
		hub.ModulesFile:         {Data: []byte(`[{"type":"sentence_transformers.models.Transformer","path":"0_Transformer"}]`)},
		hub.LibrarySettingsFile: {Data: []byte(`{"model_type":"CrossEncoder"}`)},
	}
	for name, file := range tinyFiles() {
		files["0_Transformer/"+name] = file
	}
	r := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
	if got, err := r.pull(); err != nil || got.Check(hub.Complete) != nil {
		t.Errorf("%v, %v", err, got.Check(hub.Complete))
	}
}

// Modules that are none, or lead out of the checkpoint, fetch nothing beside themselves.
func TestBadModulesFetchNothing(t *testing.T) {
	needLinks(t)
	for _, list := range []string{`[{"type":"x","path":"../../other"}]`, `[{"type":"x","path":"/etc"}]`, `{`, `[{"type":5}]`} {
		files := tinyFiles()
		files[hub.ModulesFile] = &fstest.MapFile{Data: []byte(list)}
		r := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
		r.mustPull(t)
		for _, q := range r.Requests() {
			if strings.Contains(q.File, "..") || strings.Contains(q.File, "/") {
				t.Errorf("%s: %s is asked for", list, q.File)
			}
		}
	}
}
