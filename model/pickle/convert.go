package pickle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/minilm-metal/minilm-metal/model/atomicfile"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// Written describes what Convert wrote.
type Written struct {
	Tensors int
	Bytes   int64 // of the file
}

// Convert writes the tensors of f, with the metadata that transformers writes, to a
// safetensors file at path. The file appears complete or not at all. If there is a file
// already and overwrite is false, it returns an error that is fs.ErrExist.
func (f *File) Convert(ctx context.Context, path string, overwrite bool) (w Written, err error) {
	if !overwrite {
		if _, err := os.Lstat(path); err == nil {
			return w, fmt.Errorf("%s: %w", path, fs.ErrExist)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return w, err
		}
	}
	w.Tensors = len(f.tensors)
	err = atomicfile.Write(path, 0o644, func(file *os.File) error {
		out := bufio.NewWriterSize(whileContext{ctx, file}, pieceBytes)
		if err := safetensors.Write(out, f.Entries(), map[string]string{"format": "pt"}); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
		info, err := file.Stat()
		if err == nil {
			w.Bytes = info.Size()
		}
		return err
	})
	return w, err
}

// whileContext passes writes on until its context is over.
type whileContext struct {
	ctx context.Context
	w   io.Writer
}

func (c whileContext) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}
