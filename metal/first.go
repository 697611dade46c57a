package metal

import (
	"context"
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// first is the tuning that the first open on a GPU does by itself: it measures only the
// largest product, in at most half a second including compiling. The number of rows is that
// of about six pairs, which is enough to keep all cores busy.
var first = effort{rows: 512, rounds: 9, repeats: 4, products: []string{"up"}, limit: 250 * time.Millisecond}

// near: another tile counts as faster if it takes less than this share of the default
// tile's time, because two measurements of the same thing differ by a few percent.
const near = 0.95

// choose returns the tiling that is stored for the GPU, and why. If none is stored, it
// measures one, and stores it unless forget is true.
func (s *sieve) choose(c model.Config, e effort, forget bool) (t Tiling, why string, err error) {
	info := s.driver.Info()
	t, known, err := storedTiling(info)
	switch {
	case known:
		return t, "as measured before", nil
	case err != nil: // a cache that cannot be read costs at most speed
		return t, fmt.Sprintf("the chip's default: %v", err), nil
	}
	tuning, err := s.tune(context.Background(), c, e, func(int, int) {})
	if err != nil {
		// If something is wrong with the GPU, its next use reports it; if something is
		// wrong with a tile, the sieve already has it.
		return t, fmt.Sprintf("the chip's default: %v", err), nil
	}
	tuning.prefer(t.Up)
	t, why = tuning.Tiling, "as measured now"
	if !forget {
		if err := tuning.Store(); err != nil {
			why += fmt.Sprintf(", and not kept: %v", err)
		}
	}
	return t, why, nil
}

// prefer takes the usual tile for all products, unless another was clearly faster in the
// last product that was measured.
func (t *Tuning) prefer(usual Tile) {
	var fastest, itself time.Duration
	for _, m := range t.Measurements {
		if m.Tile == t.Tiling.Up {
			fastest = m.Median
		}
		if m.Tile == usual {
			itself = m.Median
		}
	}
	if itself > 0 && float64(fastest) > near*float64(itself) {
		t.Tiling = Uniform(usual)
	}
}
