package pickle

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	zipMagic      = "PK\x03\x04"
	mostDirectory = 8 << 20 // bytes of a zip file's directory: some 80,000 entries
	newestVersion = 10      // of the format, as PyTorch 2 reads it
)

// readZip reads the dict of a zip file.
func readZip(r io.ReaderAt, size int64) (any, error) {
	entries, top, err := directory(r, size)
	if err != nil {
		return nil, err
	}
	if entries[top+"constants.pkl"] != nil {
		return nil, fmt.Errorf("%w: it is a TorchScript program", ErrNotWeights)
	}
	version, err := small(entries, top+"version", 16)
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(version))); version != nil && (err != nil || n < 1 || n > newestVersion) {
		return nil, fmt.Errorf("%sversion: %w: version %.20q, want 1 to %d", top, ErrUnsupported, version, newestVersion)
	}
	order, err := small(entries, top+"byteorder", 16)
	if err != nil {
		return nil, err
	}
	if order != nil && string(order) != "little" && string(order) != "big" {
		return nil, fmt.Errorf("%sbyteorder: %w: %.20q, want little or big", top, ErrFormat, order)
	}
	most, values := limits(r, size)
	pickled, err := small(entries, top+"data.pkl", most)
	if err == nil && pickled == nil {
		err = fmt.Errorf("%w: no entry %.200q", ErrFormat, top+"data.pkl")
	}
	if err != nil {
		return nil, err
	}
	z := zipStorages{entries: entries, folder: top + "data/", big: string(order) == "big", found: map[string]span{}}
	m := newMachine(pickled, values, z.storage)
	v, err := m.load()
	if err == nil && m.at != len(pickled) {
		err = fmt.Errorf("byte %d: %w: %d bytes are left over", m.at, ErrFormat, len(pickled)-m.at)
	}
	if err != nil {
		return nil, fmt.Errorf("%sdata.pkl: %w", top, err)
	}
	return v, nil
}

// directory returns a zip file's entries by name, and the folder that contains PyTorch's
// files: that of the first entry.
func directory(r io.ReaderAt, size int64) (entries map[string]*zip.File, top string, err error) {
	most := int64(mostDirectory)
	if _, inPlace := r.(memory); inPlace { // see limits; the end of it is searched in the last 64 KB
		most = min(most, 1<<18+size/8)
	}
	bounded := &boundedReader{r: r, left: most, most: most}
	z, err := zip.NewReader(bounded, size)
	if err != nil && !errors.Is(err, ErrLimit) {
		err = fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err != nil {
		return nil, "", err
	}
	bounded.left = -1
	entries = make(map[string]*zip.File, len(z.File))
	for _, f := range z.File {
		if entries[f.Name] != nil {
			return nil, "", fmt.Errorf("%w: two entries %.200q", ErrFormat, f.Name)
		}
		entries[f.Name] = f
	}
	if len(z.File) > 0 {
		folder, _, ok := strings.Cut(z.File[0].Name, "/")
		if ok && len(folder) <= 255 { // it is quoted in errors
			top = folder + "/"
		}
	}
	return entries, top, nil
}

// boundedReader fails after so many bytes were read. The zip library keeps the directory in
// memory, five times as large as in the file.
type boundedReader struct {
	r    io.ReaderAt
	left int64 // -1: no limit any more
	most int64
}

func (b *boundedReader) ReadAt(p []byte, at int64) (int, error) {
	if b.left >= 0 {
		if b.left -= int64(len(p)); b.left < 0 {
			b.left = 0
			return 0, fmt.Errorf("%w: a directory of more than %d bytes", ErrLimit, b.most)
		}
	}
	return b.r.ReadAt(p, at)
}

// small returns the content of an entry, at most limit bytes, or nil if there is no entry
// of that name.
func small(entries map[string]*zip.File, name string, limit int64) ([]byte, error) {
	f := entries[name]
	if f == nil {
		return nil, nil
	}
	s, err := entry(f)
	if err == nil && s.size > limit {
		err = fmt.Errorf("%w: %d bytes, want at most %d", ErrLimit, s.size, limit)
	}
	var data []byte
	if held := s.held(); err == nil && held != nil {
		data, err = held, s.check()
	} else if err == nil {
		data = make([]byte, s.size)
		_, err = io.ReadFull(s.all(), data)
	}
	if err != nil {
		return nil, fmt.Errorf("%.300s: %w", name, damaged(err))
	}
	return data, nil
}

// damaged makes an error of bytes that end too early, or cannot be uncompressed, an
// ErrFormat.
func damaged(err error) error {
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return err
}

// entry finds the content of an entry.
func entry(f *zip.File) (*storage, error) {
	const encrypted = 1
	if f.Method != zip.Store && f.Method != zip.Deflate || f.Flags&encrypted != 0 {
		return nil, fmt.Errorf("%w: compressed by method %d, or encrypted", ErrUnsupported, f.Method)
	}
	s := &storage{name: fmt.Sprintf("%.300s", f.Name), size: int64(f.UncompressedSize64), deflated: f.Method == zip.Deflate, sum: f.CRC32}
	if s.size < 0 || !s.deflated && f.CompressedSize64 != f.UncompressedSize64 {
		return nil, fmt.Errorf("%w: %d bytes in place of %d", ErrFormat, f.CompressedSize64, f.UncompressedSize64)
	}
	r, err := f.OpenRaw()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	s.raw, _ = r.(*io.SectionReader)
	if s.raw == nil {
		return nil, fmt.Errorf("%w: the zip library gives %T", ErrUnsupported, r)
	}
	return s, nil
}

// zipStorages finds the storages of a zip file.
type zipStorages struct {
	entries map[string]*zip.File
	folder  string
	big     bool
	found   map[string]span
}

// storage reads a persistent id, after the word "storage": the storage's class, its key,
// the device that it was on, and its length in elements.
func (z *zipStorages) storage(id tuple) (span, error) {
	if len(id) != 4 {
		return span{}, fmt.Errorf("%w: a storage with %d facts, want 4", ErrFormat, len(id))
	}
	s, key, err := storageOf(id)
	if err != nil {
		return span{}, err
	}
	if old, ok := z.found[key]; ok {
		if old.dtype != s.dtype || old.size != s.size {
			return span{}, fmt.Errorf("%w: storage %.200q is told in two ways", ErrFormat, key)
		}
		return old, nil
	}
	f := z.entries[z.folder+key]
	if f == nil {
		return span{}, fmt.Errorf("%w: no entry %.300q for a storage", ErrFormat, z.folder+key)
	}
	if s.in, err = entry(f); err == nil && s.in.size != s.size {
		err = fmt.Errorf("%w: it has %d bytes, and the pickle says %d", ErrFormat, s.in.size, s.size)
	}
	if err != nil {
		return span{}, fmt.Errorf("%.300s: %w", f.Name, err)
	}
	s.in.big = z.big
	z.found[key] = s
	return s, nil
}

// storageOf reads the first four facts about a storage. Where its bytes are depends on the
// format.
func storageOf(id tuple) (span, string, error) {
	class, isGlobal := id[0].(global)
	key, isText := id[1].(string)
	elements, isInt := id[3].(int64)
	if !isGlobal || !isText || !isInt || elements < 0 {
		return span{}, "", fmt.Errorf("%w: a storage of %s, %s and %s, want a class, a str and an int from 0 on", ErrFormat,
			kind(id[0]), kind(id[1]), kind(id[3]))
	}
	dtype := storageTypes[class]
	if dtype == "" {
		return span{}, "", fmt.Errorf("%w: a storage of %s", ErrFormat, kind(class))
	}
	size, ok := times(elements, int64(dtype.Size()))
	if !ok {
		return span{}, "", fmt.Errorf("%w: a storage of %d elements", ErrFormat, elements)
	}
	return span{dtype: dtype, untyped: class == untypedStorage, size: size}, key, nil
}
