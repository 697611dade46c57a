package metal

import (
	"fmt"
	"sync"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// scratch is the memory of activations. Passes use it one after the other: the GPU
// runs their command buffers in order, and each begins with Embed. It grows to the
// largest batch that there was, and has no more for many shapes than for one.
type scratch struct {
	// Held for reading while command buffers use the buffers, for writing by who
	// changes them or reads what is in them.
	mu              sync.RWMutex
	rows, sequences int // that there is room for
	buffers         [placeCount]gpu.Buffer
}

// fits reports whether a batch has room.
func (s *scratch) fits(rows, sequences int) bool { return rows <= s.rows && sequences <= s.sequences }

// hold takes the lock for reading, once a batch has room.
func (s *scratch) hold(d *Device, rows, sequences int) error {
	for {
		s.mu.RLock()
		if s.fits(rows, sequences) {
			return nil
		}
		s.mu.RUnlock()
		s.mu.Lock()
		err := s.grow(d, rows, sequences)
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// grow makes room. Where there is not enough memory, it leaves the room there was.
func (s *scratch) grow(d *Device, rows, sequences int) error {
	if s.fits(rows, sequences) {
		return nil
	}
	rows, sequences = max(rows, s.rows), max(sequences, s.sequences)
	l := &d.layout
	sizes := []struct {
		place place
		label string
		bytes int
	}{
		{stream, "residual stream", 4 * l.width * rowsFor(rows)},
		{streamH, "residual stream in half", 2 * l.width * rowsFor(rows)},
		{wide, "Q, K and V, and inner channels", 2 * max(3*l.context(), l.inner) * rowsFor(rows)},
		{found, "what heads find", 2 * l.context() * rowsFor(rows)},
		{streamCls, "residual stream of [CLS]", 4 * l.width * rowsFor(sequences)},
		{streamClsH, "residual stream of [CLS] in half", 2 * l.width * rowsFor(sequences)},
	}
	var grown [placeCount]gpu.Buffer
	for _, b := range sizes {
		var err error
		if grown[b.place], err = d.driver.NewBuffer(b.label, b.bytes); err != nil {
			releaseAll(grown[:])
			return fmt.Errorf("activations of %d tokens in %d sequences: %w", rows, sequences, err)
		}
	}
	releaseAll(s.buffers[:])
	s.buffers, s.rows, s.sequences = grown, rows, sequences
	return nil
}

func (s *scratch) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	releaseAll(s.buffers[:])
	s.buffers, s.rows, s.sequences = [placeCount]gpu.Buffer{}, 0, 0
}

func releaseAll(buffers []gpu.Buffer) {
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
}
