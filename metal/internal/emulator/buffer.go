package emulator

import (
	"fmt"
	"os"
	"strings"

	"github.com/edsrzf/mmap-go"
	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// buffer is memory that the child maps too. It ends where its pages do, or up to
// 15 bytes before.
type buffer struct {
	e     *Emulator
	label string
	id    int
	all   mmap.MMap
	bytes []byte // of all; nil once released
}

// NewBuffer returns a buffer full of NaN patterns.
func (e *Emulator) NewBuffer(label string, bytes int) (gpu.Buffer, error) {
	if bytes <= 0 {
		return nil, fmt.Errorf("emulator: buffer %q of %d bytes", label, bytes)
	}
	if bytes > largestBuffer {
		return nil, fmt.Errorf("emulator: buffer %q of %d bytes, where %d are the most: %w", label, bytes, largestBuffer, gpu.ErrOutOfMemory)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.child.lost != nil {
		return nil, e.child.lost
	}
	aligned := (bytes + 15) &^ 15
	pages := (aligned + 4095) &^ 4095
	file, err := memoryFile(int64(pages))
	if err != nil {
		return nil, fmt.Errorf("emulator: buffer %q: %w: %w", label, gpu.ErrOutOfMemory, err)
	}
	defer file.Close()
	b := &buffer{e: e, label: label, id: len(e.buffers) + len(e.ids)}
	if n := len(e.ids); n > 0 {
		b.id = e.ids[n-1]
	}
	answer, err := e.child.ask(fmt.Sprintf("map %d %d %s\n", b.id, bytes, pathOf(file)))
	if err != nil {
		return nil, fmt.Errorf("emulator: buffer %q: %w", label, err)
	}
	if reason, no := strings.CutPrefix(answer, "no "); no {
		return nil, fmt.Errorf("emulator: buffer %q: %w: %s", label, gpu.ErrOutOfMemory, reason)
	}
	if b.all, err = mmap.Map(file, mmap.RDWR, 0); err != nil {
		return nil, fmt.Errorf("emulator: buffer %q: %w: %w", label, gpu.ErrOutOfMemory, os.NewSyscallError("mmap", err))
	}
	b.bytes = b.all[pages-aligned:][:bytes:bytes]
	if n := len(e.ids); n > 0 {
		e.ids = e.ids[:n-1]
	}
	e.buffers[b] = true
	e.allocated += uint64(bytes)
	return b, nil
}

// Bytes panics on a buffer that is released.
func (b *buffer) Bytes() []byte {
	if b.bytes == nil {
		panic(fmt.Sprintf("emulator: buffer %q is used after its release", b.label))
	}
	return b.bytes
}

// Release panics on a buffer that is released.
func (b *buffer) Release() {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	if b.bytes == nil {
		panic(fmt.Sprintf("emulator: buffer %q is released twice", b.label))
	}
	delete(b.e.buffers, b)
	b.e.allocated -= uint64(len(b.bytes))
	if _, err := b.e.child.ask(fmt.Sprintf("free %d\n", b.id)); err == nil {
		b.e.ids = append(b.e.ids, b.id)
	}
	// There is nobody to tell, and nothing that could be done.
	_ = b.unmap()
}

func (b *buffer) unmap() error {
	b.bytes = nil
	return b.all.Unmap()
}
