package metal

import (
	"fmt"
	"sync"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// scratch is the memory for activations. Passes can share it, because the GPU runs their
// command buffers in order and each begins with Embed. It grows to the size of the largest
// batch so far, and does not depend on the number of different shapes.
type scratch struct {
	// Held for reading while command buffers use the buffers; held for writing to replace
	// the buffers or to read their contents.
	mu              sync.RWMutex
	rows, sequences int // how many there is room for
	buffers         [placeCount]gpu.Buffer
}

// fits reports whether there is room for a batch.
func (s *scratch) fits(rows, sequences int) bool { return rows <= s.rows && sequences <= s.sequences }

// hold makes room for a batch and then takes the lock for reading.
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

// grow makes room for a batch. If there is not enough memory, the old buffers remain.
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
