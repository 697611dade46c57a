package safetensors

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/edsrzf/mmap-go"
)

// backing holds the bytes of one file, either mapped or in plain memory.
type backing struct {
	name   string
	data   []byte
	mapped mmap.MMap // nil in plain memory; else data is the same bytes
	file   *os.File  // nil in plain memory; kept open to see whether the file changes
	when   time.Time // of its last modification, when it was mapped
	closed atomic.Bool
}

// mapFile maps the whole of f, which then belongs to the backing.
func mapFile(name string, f *os.File) (*backing, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := stat.Size()
	if size > math.MaxInt {
		return nil, fmt.Errorf("%d bytes are more than this machine can address", size)
	}
	b := &backing{name: name, file: f, when: stat.ModTime()}
	if size == 0 {
		return b, nil // an empty file cannot be mapped
	}
	b.mapped, err = mmap.MapRegion(f, int(size), mmap.RDONLY, 0, 0)
	if err != nil {
		return nil, fmt.Errorf("mapping %d bytes: %w", size, err)
	}
	b.data = b.mapped[:size:size]
	return b, nil
}

// close unmaps, once.
func (b *backing) close() error {
	if b.closed.Swap(true) || b.file == nil {
		return nil
	}
	var err error
	if b.mapped != nil {
		err = b.mapped.Unmap()
	}
	return errors.Join(err, b.file.Close())
}

// holds says whether an address lies in the mapping.
func (b *backing) holds(address uintptr) bool {
	start := uintptr(unsafe.Pointer(unsafe.SliceData(b.data)))
	return b.file != nil && address-start < uintptr(len(b.data))
}

// check returns an error if the file's bytes are no longer those that were mapped.
func (b *backing) check() error {
	if b.closed.Load() {
		return fmt.Errorf("safetensors: %s: %w", b.name, ErrClosed)
	}
	if b.file == nil {
		return nil
	}
	stat, err := b.file.Stat()
	if err != nil {
		return fmt.Errorf("safetensors: %s: %w", b.name, err)
	}
	switch size, when := stat.Size(), stat.ModTime(); {
	case size < int64(len(b.data)):
		return fmt.Errorf("safetensors: %s: %w: %d bytes are left of %d", b.name, ErrTruncated, size, len(b.data))
	case size > int64(len(b.data)):
		return fmt.Errorf("safetensors: %s: %w: it has %d bytes, and had %d when it was opened", b.name, ErrChanged, size, len(b.data))
	case !when.Equal(b.when):
		return fmt.Errorf("safetensors: %s: %w: it was written to at %s, last before it was opened at %s",
			b.name, ErrChanged, when.UTC().Format(time.RFC3339Nano), b.when.UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// guard runs read and returns its error, or an error that names the file if that changed
// meanwhile: see File.Guard.
func guard(read func() error, backings ...*backing) (err error) {
	for _, b := range backings {
		if b.closed.Load() {
			return b.check()
		}
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		if fault, ok := reason.(interface {
			runtime.Error
			Addr() uintptr
		}); ok {
			for _, b := range backings {
				if b.holds(fault.Addr()) {
					// The file's size explains it better, unless the file has grown back.
					if err = b.check(); err == nil {
						err = fmt.Errorf("safetensors: %s: %w: byte %d cannot be read", b.name, ErrTruncated,
							fault.Addr()-uintptr(unsafe.Pointer(unsafe.SliceData(b.data))))
					}
					return
				}
			}
		}
		panic(reason)
	}()
	if err := read(); err != nil {
		return err
	}
	for _, b := range backings {
		if err := b.check(); err != nil {
			return err
		}
	}
	return nil
}
