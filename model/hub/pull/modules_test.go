package pull

import (
	"io/fs"
	"slices"
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
