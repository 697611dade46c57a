package pull

import (
	"context"
	"io/fs"
	"path"
	"slices"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/modules"
)

// tokenizerFiles are the files of a tokenizer that a checkpoint may have.
var tokenizerFiles = []string{hub.TokenizerFile, hub.TokenizerConfigFile, hub.SpecialTokensFile, hub.VocabFile}

// modules pulls modules.json and, if it exists, the files beside it that matter: the
// settings of the model and of its Transformer, and a config.json and some weights from the
// other modules' folders. The pinned commit has no modules.json, so the hub is not asked
// for it if the cache has everything else.
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
	for _, folder := range moduleFolders(p.snapshot().FS()) {
		if err := p.module(ctx, folder); err != nil {
			return err
		}
	}
	return nil
}

// moduleWeights are the files of a module's weights, such as a Dense's: that of PyTorch is read
// where there is no other.
var moduleWeights = []string{hub.WeightsFile, hub.PickleFile}

// module pulls what there is in a module's folder: a Normalize of before version 6 has
// nothing, and a Pooling no weights.
func (p *puller) module(ctx context.Context, folder string) error {
	if _, err := p.ensure(ctx, path.Join(folder, hub.ConfigFile), true); err != nil {
		return err
	}
	for _, file := range moduleWeights {
		if found, err := p.ensure(ctx, path.Join(folder, file), true); err != nil || found {
			return err
		}
	}
	return nil
}

// root returns the model's folder, according to the modules.json that was pulled.
func (p *puller) root() string { return modules.Root(p.snapshot().FS()) }

// moduleFolders lists the folders of a model's modules beside its own. Errors in modules.json
// are reported when the model is opened.
func moduleFolders(fsys fs.FS) (folders []string) {
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
			folders = append(folders, m.Folder)
		}
	}
	return folders
}

// smallFiles lists what a checkpoint may hold beside its weights.
func smallFiles(fsys fs.FS) []string {
	root := modules.Root(fsys)
	files := []string{path.Join(root, hub.ConfigFile), hub.ModulesFile, hub.LibrarySettingsFile}
	for _, name := range slices.Concat(modules.InputSettings, tokenizerFiles) {
		files = append(files, path.Join(root, name))
	}
	for _, folder := range moduleFolders(fsys) {
		for _, name := range append([]string{hub.ConfigFile}, moduleWeights...) {
			files = append(files, path.Join(folder, name))
		}
	}
	return files
}
