package safetensors

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// OpenCheckpoint opens the weights in a model's directory: model.safetensors, or
// else the shards that model.safetensors.index.json names.
//
//	{"metadata": {...}, "weight_map": {"tensor": "model-00001-of-00002.safetensors", ...}}
//
// A shard must be a file beside the index, not elsewhere: neither through its name nor through
// a symbolic link, except the links of the Hugging Face cache, which lead to ../../blobs. Each
// tensor of the index must be in its shard and in no other. Tensors in shards that are not in
// the index are ignored. An index has at most 64 MiB and 65,536 tensors.
func OpenCheckpoint(fsys fs.FS) (*File, error) { return prefixed(Own.OpenCheckpoint(fsys)) }

// MaxIndexBytes bounds an index. The largest published ones have a few megabytes.
const MaxIndexBytes = 64 << 20

// Shards parses an index and returns the names of the files that have the tensors: sorted,
// each once. It is an error if a name is anything but that of a file beside the index.
func Shards(index []byte) ([]string, error) {
	shardOf, err := parseIndex(index)
	if err != nil {
		return nil, err
	}
	return slices.Compact(slices.Sorted(maps.Values(shardOf))), nil
}

// ShardOf parses an index and returns the file of each tensor. PyTorch's index,
// pytorch_model.bin.index.json, has the same format.
func ShardOf(index []byte) (map[string]string, error) { return parseIndex(index) }

// parseIndex reads which shard each tensor is in.
func parseIndex(text []byte) (map[string]string, error) {
	if bounded.IsGitLFS(text) {
		return nil, ErrGitLFS
	}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrIndex)
	}
	var shardOf map[string]string
	s := jsonscan.New(text)
	err := s.Object(func(key []byte) (err error) {
		switch {
		case string(key) != "weight_map":
			return s.Skip()
		case shardOf != nil:
			return s.Errorf("duplicate key")
		}
		shardOf, err = texts(s, maxTensors)
		return err
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIndex, err)
	}
	if len(shardOf) == 0 {
		return nil, fmt.Errorf("%w: no weight_map, or an empty one", ErrIndex)
	}
	for _, tensor := range slices.Sorted(maps.Keys(shardOf)) {
		if shard := shardOf[tensor]; !isPlainName(shard) {
			return nil, fmt.Errorf("%w: tensor %s: shard %s is not the name of a file beside the index", ErrIndex, quote(tensor), quote(shard))
		}
	}
	return shardOf, nil
}

// isPlainName says whether name can only be a file in the same directory, on any
// system.
func isPlainName(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, "/\\:\x00")
}

// openShards opens the shards of an index.
func (of *Format) openShards(fsys fs.FS, text []byte) (_ *File, err error) {
	shardOf, err := parseIndex(text)
	if err != nil {
		return nil, err
	}
	f := &File{format: of.Name, tensors: make(map[string]*Tensor, len(shardOf)), names: slices.Sorted(maps.Keys(shardOf))}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	holder := map[string]string{} // the shard of every tensor, in the index or not
	for _, name := range slices.Compact(slices.Sorted(maps.Values(shardOf))) {
		if err := checkLink(fsys, name); err != nil {
			return nil, err
		}
		shard, err := of.Open(fsys, name)
		if err != nil {
			return nil, err
		}
		f.backings = append(f.backings, shard.backings...)
		for _, tensor := range shard.names {
			if other, ok := holder[tensor]; ok {
				return nil, fmt.Errorf("%w: tensor %s is in two shards, %s and %s", ErrIndex, quote(tensor), quote(other), quote(name))
			}
			holder[tensor] = name
			if shardOf[tensor] == name {
				f.tensors[tensor] = shard.tensors[tensor]
			}
		}
		if f.metadata == nil {
			f.metadata = shard.metadata
		}
	}
	for _, tensor := range f.names {
		if f.tensors[tensor] == nil {
			return nil, fmt.Errorf("%w: tensor %s is not in its shard %s", ErrIndex, quote(tensor), quote(shardOf[tensor]))
		}
	}
	return f, nil
}

// blobLink is how a snapshot in the Hugging Face cache refers to a file.
var blobLink = regexp.MustCompile(`^\.\./\.\./blobs/[0-9A-Za-z_-]+$`)

// checkLink refuses a shard that is a symbolic link out of the directory. An index may come
// from anywhere, and must not choose which files are read. A file system that hides its
// links is trusted to confine them.
func checkLink(fsys fs.FS, name string) error {
	for range 8 { // a chain of links within the directory
		stat, err := fs.Lstat(fsys, name)
		if err != nil {
			return nil // opening it reports what is wrong
		}
		if stat.Mode()&fs.ModeSymlink == 0 {
			return nil
		}
		target, err := fs.ReadLink(fsys, name)
		if err != nil {
			return err
		}
		if blobLink.MatchString(filepath.ToSlash(target)) {
			return nil
		}
		if !isPlainName(target) {
			return fmt.Errorf("%w: shard %s is a link out of the directory, to %s", ErrIndex, quote(name), quote(target))
		}
		name = target
	}
	return fmt.Errorf("%w: shard %s: too many links", ErrIndex, quote(name))
}
