package model

import (
	"fmt"
	"io/fs"

	"github.com/minilm-metal/minilm-metal/model/pickle"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// openWeights opens the weights at the top of fsys, of a whole model or of one module, in one
// file or in shards. As in transformers, those of safetensors count where there are both; to
// take PyTorch's where a shard of them is missing would hide that.
func openWeights(fsys fs.FS) (*safetensors.File, error) {
	if safetensors.Own.In(fsys) || !pickle.Format.In(fsys) {
		return safetensors.OpenCheckpoint(fsys)
	}
	file, err := pickle.Format.OpenCheckpoint(fsys)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return file, nil
}
