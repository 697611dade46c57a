package pickle

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// The files of a checkpoint as Hugging Face's libraries name them.
const (
	singleName = "pytorch_model.bin"
	indexName  = "pytorch_model.bin.index.json"
)

// OpenCheckpoint opens the weights in a model's directory: pytorch_model.bin, or else the
// shards that pytorch_model.bin.index.json names, which are files beside it. Each tensor of
// the index must be in its shard, and none in two.
func OpenCheckpoint(dir string) (*File, error) {
	f, err := open(filepath.Join(dir, singleName))
	if errors.Is(err, fs.ErrNotExist) {
		f, err = openShards(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("pickle: %w", err)
	}
	return f, nil
}

func openShards(dir string) (_ *File, err error) {
	path := filepath.Join(dir, indexName)
	text, err := bounded.ReadFile(path, safetensors.MaxIndexBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: neither %s nor %s: %w", dir, singleName, indexName, fs.ErrNotExist)
	}
	var shardOf map[string]string
	if err == nil {
		if shardOf, err = safetensors.ShardOf(text); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		return nil, err
	}
	all := &File{}
	defer func() {
		if err != nil {
			err = errors.Join(err, all.Close())
		}
	}()
	holder := map[string]string{} // of every tensor
	for _, shard := range slices.Compact(slices.Sorted(maps.Values(shardOf))) {
		f, err := open(filepath.Join(dir, shard))
		if err != nil {
			return nil, err
		}
		all.closers = append(all.closers, f.closers...)
		all.Bytes += f.Bytes
		for _, t := range f.tensors {
			if other, ok := holder[t.name]; ok {
				return nil, fmt.Errorf("%s: %w: tensor %.200q is in two shards, %s and %s", path, ErrFormat, t.name, other, shard)
			}
			holder[t.name] = shard
		}
		all.tensors = append(all.tensors, f.tensors...)
	}
	for _, name := range slices.Sorted(maps.Keys(shardOf)) {
		if holder[name] != shardOf[name] {
			return nil, fmt.Errorf("%s: %w: tensor %.200q is not in its shard %s", path, ErrFormat, name, shardOf[name])
		}
	}
	return all, nil
}
