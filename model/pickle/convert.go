package pickle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// Written is what Convert wrote.
type Written struct {
	Tensors int
	Bytes   int64 // of the file
}

// Convert writes the tensors of f to a safetensors file at path, which appears whole or not
// at all, with the metadata that transformers writes. A file that is there already is an
// error that is fs.ErrExist, unless overwrite is set.
func (f *File) Convert(ctx context.Context, path string, overwrite bool) (w Written, err error) {
	if !overwrite {
		if _, err := os.Lstat(path); err == nil {
			return w, fmt.Errorf("%s: %w", path, fs.ErrExist)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return w, err
		}
	}
	// Beside it, so that renaming is no copying.
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if why := (*fs.PathError)(nil); errors.As(err, &why) {
		return w, fmt.Errorf("no file can be made in %s: %w", dir, why.Err) // and nobody asked for one of that name
	}
	if err != nil {
		return w, err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	out := bufio.NewWriterSize(whileContext{ctx, file}, pieceBytes)
	if err := safetensors.Write(out, f.Entries(), map[string]string{"format": "pt"}); err != nil {
		return w, err
	}
	if err := out.Flush(); err != nil {
		return w, err
	}
	info, err := file.Stat()
	if err == nil {
		err = file.Chmod(0o644)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return w, err
	}
	return Written{Tensors: len(f.tensors), Bytes: info.Size()}, os.Rename(file.Name(), path)
}

// whileContext writes as long as nobody has interrupted it.
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
