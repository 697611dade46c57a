package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// weightsSHA256 returns the hash of a checkpoint's weights. For one file it is the file's
// sha256, as published beside it. For several shards it is the sha256 of what sha256sum
// would print for them: a line "hash  name\n" for each, sorted by name.
func weightsSHA256(fsys fs.FS) (string, error) {
	names, err := fs.Glob(fsys, "*.safetensors")
	if err != nil {
		return "", fmt.Errorf("bench: weights: %w", err)
	}
	const single = "model.safetensors"
	if slices.Contains(names, single) {
		return fileSHA256(fsys, single)
	}
	slices.Sort(names)
	list := sha256.New()
	for _, name := range names {
		sum, err := fileSHA256(fsys, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(list, "%s  %s\n", sum, name)
	}
	if len(names) == 0 {
		return "", errors.New("bench: weights: no .safetensors file")
	}
	return hex.EncodeToString(list.Sum(nil)), nil
}

// tokenizerSHA256 returns the hash of tokenizer.json, or of vocab.txt if there is no
// tokenizer.json.
func tokenizerSHA256(fsys fs.FS) (string, error) {
	sum, err := fileSHA256(fsys, "tokenizer.json")
	if errors.Is(err, fs.ErrNotExist) {
		sum, err = fileSHA256(fsys, "vocab.txt")
	}
	return sum, err
}

// fileSHA256 returns the sha256 of a file, in hexadecimal.
func fileSHA256(fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", fmt.Errorf("bench: sha256: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("bench: sha256: %s: %w", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
