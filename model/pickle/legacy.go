package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
)

const (
	legacyMagic    wide  = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19" // 0x1950a86a20f9469cfc6c
	legacyProtocol int64 = 1001
)

// readLegacy reads the dict of a file in the format before PyTorch 1.6: several pickles one
// after the other, and then the storages.
func readLegacy(r io.ReaderAt, size int64) (any, error) {
	head, inMemory := r.(memory)
	if n := min(size, mostPickled); inMemory {
		head = head[:n]
	} else {
		head = make([]byte, n)
		if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), head); err != nil {
			return nil, err
		}
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return nil, fmt.Errorf("%w: the tar format, of PyTorch before 0.1.11", ErrUnsupported)
	}
	_, values := limits(r, size)
	found := legacyStorages{}
	m := newMachine(head, values, found.storage)
	v, err := m.load()
	if errors.Is(err, ErrGlobal) { // it is a pickle, but of something else
		return nil, err
	}
	if err != nil || v != legacyMagic { // an error of the first opcodes would not help the user
		return nil, fmt.Errorf("%w (%d bytes, neither a zip file nor in the format before PyTorch 1.6)", ErrFormat, size)
	}
	if v, err = m.load(); err == nil && v != legacyProtocol {
		found := kind(v) // a value that is not an int may be larger than memory when printed
		if n, ok := v.(int64); ok {
			found = strconv.FormatInt(n, 10)
		}
		err = fmt.Errorf("byte %d: %w: protocol %s, want %d", m.op, ErrUnsupported, found, legacyProtocol)
	}
	if err == nil {
		_, err = m.load() // facts about the system that wrote it; PyTorch ignores them
	}
	var weights, keys any
	if err == nil {
		weights, err = m.load()
	}
	if err == nil {
		keys, err = m.load()
	}
	if err == nil {
		err = found.locate(r, size, int64(m.at), keys)
	}
	if err != nil && len(head) == mostPickled && errors.Is(err, ErrFormat) {
		err = fmt.Errorf("%w (of a pickle at most %d bytes are read)", err, mostPickled)
	}
	return weights, err
}

// legacyStorages maps keys to storages.
type legacyStorages map[string]span

// storage reads a persistent id, after the word "storage": the storage's class, its key,
// the device that it was on, its length in elements, and None. If the storage is a part of
// another, there is instead of None a key, the part's first element and its length.
func (l legacyStorages) storage(id tuple) (span, error) {
	if len(id) != 5 {
		return span{}, fmt.Errorf("%w: a storage with %d facts, want 5", ErrFormat, len(id))
	}
	s, key, err := storageOf(id)
	if err != nil {
		return span{}, err
	}
	if old, ok := l[key]; !ok {
		s.in = &storage{name: fmt.Sprintf("storage %.200q", key), size: s.size}
		l[key] = s
	} else if old.dtype != s.dtype || old.size != s.size {
		return span{}, fmt.Errorf("%w: storage %.200q is told in two ways", ErrFormat, key)
	} else {
		s = old
	}
	if id[4] == nil {
		return s, nil
	}
	part, _ := id[4].(tuple)
	if len(part) != 3 {
		return span{}, fmt.Errorf("%w: a part of a storage is %s", ErrFormat, kind(id[4]))
	}
	first, ok1 := part[1].(int64)
	elements, ok2 := part[2].(int64)
	width := int64(s.dtype.Size())
	if all := s.size / width; !ok1 || !ok2 || first < 0 || elements < 0 || first > all || elements > all-first {
		return span{}, fmt.Errorf("%w: a part of storage %.200q is not within it", ErrFormat, key)
	}
	s.begin, s.size = first*width, elements*width
	return s, nil
}

// locate finds where each storage is. keys has their order; the first begins at byte at.
// Before each storage its length is repeated.
func (l legacyStorages) locate(r io.ReaderAt, size, at int64, keys any) error {
	list, ok := keys.(*list)
	if !ok {
		return fmt.Errorf("%w: the storages' keys are %s, want a list", ErrFormat, kind(keys))
	}
	for _, k := range list.items {
		key, _ := k.(string)
		s, ok := l[key]
		if !ok || s.in.raw != nil {
			return fmt.Errorf("%w: storage %.200q is listed, but not used, or twice", ErrFormat, key)
		}
		var length [8]byte
		if _, err := r.ReadAt(length[:], at); err != nil {
			return fmt.Errorf("%s: %w: its length at byte %d: %w", s.in.name, ErrFormat, at, err)
		}
		at += int64(len(length))
		elements := s.in.size / int64(s.dtype.Size())
		if n := binary.LittleEndian.Uint64(length[:]); n != uint64(elements) || s.in.size > size-at {
			return fmt.Errorf("%s: %w: %d elements at byte %d of %d, and the pickle says %d (%s)",
				s.in.name, ErrFormat, n, at, size, elements, s.dtype)
		}
		s.in.raw = io.NewSectionReader(r, at, s.in.size)
		at += s.in.size
	}
	for _, s := range l {
		if s.in.raw == nil {
			return fmt.Errorf("%s: %w: it is used, but not listed", s.in.name, ErrFormat)
		}
	}
	return nil
}
