package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/pprof/profile"

	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// maxProfile is the most bytes of a profile that are read, unpacked. Ours have some KB,
// those of the largest programs some MB.
const maxProfile = 256 << 20

// readProfile reads a profile in pprof's format, or in one of the older formats that
// package profile knows.
func readProfile(path string) (*profile.Profile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := readUnpacked(f, maxProfile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case len(data) == 0:
		return nil, fmt.Errorf("%s: not a profile: the file is empty", path)
	case bytes.HasPrefix(data, []byte("go 1.")):
		return nil, fmt.Errorf("%s: not a profile but an execution trace: see \"go tool trace\"", path)
	}
	p, err := profile.ParseData(data)
	if err != nil {
		return nil, fmt.Errorf("%s: not a profile: %w", path, err)
	}
	return p, nil
}

// readUnpacked reads all of f, unpacking it if it is gzip. More than limit bytes are an
// error.
func readUnpacked(f io.Reader, limit int64) ([]byte, error) {
	data, err := readBounded(f, limit)
	if err != nil || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("not a profile: %w", err)
	}
	return readBounded(unpacked, limit)
}

func readBounded(r io.Reader, limit int64) ([]byte, error) {
	data, err := bounded.ReadAll(r, limit)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the profile is cut short: %w", err)
	}
	return data, err
}
