package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/modules"
	"github.com/minilm-metal/minilm-metal/model/pickle"
)

func (p *program) convert() *cobra.Command {
	var out string
	var force bool
	c := &cobra.Command{
		Use:   "convert MODEL",
		Short: "Make model.safetensors of a pytorch_model.bin",
		Long: `Read the weights that PyTorch saved, and write them as model.safetensors beside them.
Values and types stay as they are, byte for byte. Every other command reads both formats;
safetensors are for programs that do not.

MODEL is a folder with pytorch_model.bin, or with pytorch_model.bin.index.json and the
files that it names; or such a file; or a Hugging Face id in the local cache. Both of
PyTorch's formats are read, that of 1.6 and later and the one before.

A pytorch_model.bin is a program. It is not run: the few steps that build tensors and a
dict of them are understood, and any other is refused by its name. So is a file with
more in it than weights, such as a training checkpoint.

The local cache is shared with other programs, and is not written to: for a model
there, --out says where the new file goes. A name that ends in .safetensors is the
file; any other is a folder, made if need be, which gets a model.safetensors. Before
other commands can use that folder, copy the model's other files to it.`,
		Example: `  minilm-metal convert ./my-reranker && minilm-metal score --model ./my-reranker < pairs.jsonl
  minilm-metal convert ./my-reranker/pytorch_model.bin --out ./weights.safetensors
  minilm-metal convert cross-encoder/ms-marco-TinyBERT-L-2 --out ./tinybert`,
		Args:              arguments("", "MODEL"),
		ValidArgsFunction: p.completeConvert,
		RunE: func(c *cobra.Command, args []string) error {
			return p.convertWeights(c.Context(), args[0], out, force)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "file to write, ending in .safetensors, or folder (default: the folder that the weights are in)")
	c.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	return c
}

// convertWeights converts the weights of the model called name, and reports what it wrote.
func (p *program) convertWeights(ctx context.Context, name, out string, force bool) error {
	began := time.Now()
	weights, beside, err := p.openPickled(name, out != "")
	if err != nil {
		return err
	}
	defer weights.Close()
	path, err := convertedPath(beside, out, force)
	if err != nil {
		return err
	}
	p.undone = "nothing was written"
	written, err := weights.Convert(ctx, path, force)
	if errors.Is(err, fs.ErrExist) && !force { // otherwise a folder is there
		return fmt.Errorf("%w; --force writes over it", err)
	}
	if err != nil {
		return err
	}
	if out != "" && path != out { // a folder, which may not exist yet
		if lacks := (hub.Snapshot{Dir: out}).Check(hub.Config | hub.Tokenizer); lacks != nil {
			p.warn("%v: copy the model's other files there, from %s", lacks, beside)
		}
	}
	_, err = fmt.Fprintf(p.stdout, "%s: %d tensors, %d bytes, %.3f s\n", path, written.Tensors, written.Bytes, time.Since(began).Seconds())
	return err
}

// openPickled opens the weights of the model called name, and returns the folder that they
// are in. Weights in the cache are refused, unless the result goes elsewhere.
func (p *program) openPickled(name string, elsewhere bool) (*pickle.File, string, error) {
	dir, isFile := name, false
	if info, err := os.Stat(name); err == nil && !info.IsDir() {
		dir, isFile = filepath.Dir(name), true
	}
	cache, err := hub.DefaultCache(p.getenv, p.home())
	if err != nil {
		cache = hub.Cache{} // a directory needs none
	}
	const noParts hub.Parts = 0
	found, err := cache.Find(dir, noParts)
	if errors.Is(err, hub.ErrNotFound) { // its advice is for the other commands
		err = fmt.Errorf("%w (convert needs a directory with pytorch_model.bin)", err)
	}
	if err != nil {
		return nil, "", err
	}
	if found.ID != "" && !elsewhere {
		return nil, "", usageError("%s is in the cache, which other programs share, and is not written to: say --out FOLDER", found)
	}
	if isFile {
		f, err := pickle.Open(name)
		return f, dir, err
	}
	// The model's folder, if the model is one of several modules.
	dir = filepath.Join(found.Dir, filepath.FromSlash(modules.Root(found.FS())))
	f, err := pickle.OpenCheckpoint(dir)
	if errors.Is(err, fs.ErrNotExist) && found.Check(hub.Weights) == nil {
		return nil, "", fmt.Errorf("%s: there is nothing to convert: its weights are safetensors already", dir)
	}
	return f, dir, err
}

// convertedPath returns the file to write: out, a file in the folder out, or a file beside
// the weights. If there are shards already, nobody would read them any more, so they count
// as if the file existed.
func convertedPath(beside, out string, force bool) (string, error) {
	dir := beside
	if strings.HasSuffix(out, ".safetensors") {
		return out, nil
	}
	if out != "" {
		dir = out
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return "", err
		}
	}
	index := filepath.Join(dir, hub.IndexFile)
	if _, err := os.Lstat(index); err == nil && !force {
		return "", fmt.Errorf("%s: %w; --force writes %s, which comes before it", index, fs.ErrExist, hub.WeightsFile)
	}
	return filepath.Join(dir, hub.WeightsFile), nil
}

// completeConvert offers the ids in the cache, and files and folders.
func (p *program) completeConvert(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return p.cached(), cobra.ShellCompDirectiveDefault
}
