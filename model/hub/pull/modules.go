package pull

import (
	"context"
	"io/fs"
	"path"
	"slices"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/modules"
)

// tokenizerFiles are what a checkpoint may hold of its tokenizer.
var tokenizerFiles = []string{hub.TokenizerFile, hub.TokenizerConfigFile, hub.SpecialTokensFile, hub.VocabFile}

// modules pulls modules.json, and where it is there what counts beside it: the settings of
// the model and of its Transformer, and the other modules' folders, of which those that are
// read have a config.json, and some weights. The pinned commit is known to lack
// modules.json: a cache that has the rest is not asked about on the hub.
func (p *puller) modules(ctx context.Context) error {
	if pin, ok := hub.PinOf(p.id); ok && p.commit == pin.Revision {
		return nil
	}
	found, err := p.ensure(ctx, hub.ModulesFile, true)
	if err != nil || !found {
		return err
	}
	if _, err := p.ensure(ctx, hub.LibrarySettingsFile, true); err != nil {
		return err
	}
	for _, name := range modules.InputSettings {
		if found, err := p.ensure(ctx, path.Join(p.root(), name), true); err != nil || found {
			if err != nil {
				return err
			}
			break
		}
	}
	for _, file := range moduleFiles(p.snapshot().FS()) {
		if _, err := p.ensure(ctx, file, true); err != nil {
			return err
		}
	}
	return nil
}

// root is the folder of the model in what was pulled so far, by modules.json.
func (p *puller) root() string { return modules.Root(p.snapshot().FS()) }

// moduleFiles lists the files that the modules of a model may have in folders of their
// own. What is wrong with modules.json is said when the model is opened.
func moduleFiles(fsys fs.FS) (files []string) {
	data, err := modules.Read(fsys, modules.File)
	if err != nil {
		return nil
	}
	list, err := modules.Parse(data)
	if err != nil {
		return nil
	}
	root := modules.Root(fsys)
	for _, m := range list {
		if m.Folder != root && m.Folder != "." {
			files = append(files, path.Join(m.Folder, hub.ConfigFile), path.Join(m.Folder, hub.WeightsFile))
		}
	}
	return files
}

// smallFiles lists what a checkpoint may hold beside its weights.
func smallFiles(fsys fs.FS) []string {
	root := modules.Root(fsys)
	files := []string{path.Join(root, hub.ConfigFile), hub.ModulesFile, hub.LibrarySettingsFile}
	for _, name := range slices.Concat(modules.InputSettings, tokenizerFiles) {
		files = append(files, path.Join(root, name))
	}
	return append(files, moduleFiles(fsys)...)
}
