package metal

import (
	"context"
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// first is what the first open on a GPU does that was never tuned: it measures the
// largest product alone, in half a second at most, compiling included. Its rows are of
// six pairs or so, enough for all cores.
var first = effort{rows: 512, rounds: 9, repeats: 4, products: []string{"up"}, limit: 250 * time.Millisecond}

// near is the share of the chip's default's time from which another tile counts as
// faster: two measurements of the same differ by a few percent.
const near = 0.95

// choose returns the tiling that is stored for the GPU, or else what it measures, which
// it stores unless it shall forget it; and how it came by it.
func (s *sieve) choose(c model.Config, e effort, forget bool) (t Tiling, why string, err error) {
	info := s.driver.Info()
	t, known, err := storedTiling(info)
	switch {
	case known:
		return t, "as measured before", nil
	case err != nil: // a cache that cannot be read costs speed at most
		return t, fmt.Sprintf("the chip's default: %v", err), nil
	}
	tuning, err := s.tune(context.Background(), c, e, func(int, int) {})
	if err != nil {
		// What is wrong with the GPU comes out with its next use; what is wrong with tiles
		// is known already.
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

// prefer takes the usual tile for all products if none is faster beyond noise in the
// last that was measured.
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
