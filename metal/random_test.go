package metal

import (
	"errors"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/emulator"
	"github.com/minilm-metal/minilm-metal/model/conformance"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// Of whatever sizes a model is, each block is within what rounding to half allows, in every
// tile and in another order of threads each time. A failure says the seed and the
// sizes: -first SEED -models 1 has it again.
func TestRandomModels(t *testing.T) {
	needEmulator(t)
	modeltest.EachRandom(t, 16, func(t *testing.T, m *conformance.Case) {
		tile := Uniform(Tiles[m.Seed%uint64(len(Tiles))])
		order := orders[m.Seed/uint64(len(Tiles))%uint64(len(orders))]
		d, err := openEmulated(m.Weights, tile, emulator.Options{Order: order, OtherLanes: m.Seed%3 == 0})
		if errors.Is(err, ErrModel) && m.Shape.Hidden > mostWidth-tile.columns() {
			t.Skip(err)
		}
		if err != nil {
			t.Fatalf("%v: %v", m, err)
		}
		report, err := m.Hold(d, conformance.RoundsFloat16GPU)
		if err != nil {
			t.Errorf("%v: %v, order %s: %v", m, tile, order, err)
		}
		t.Logf("%v: errors up to %.2f of what they may be", m, report.Largest())
		if err := d.Close(); err != nil {
			t.Errorf("%v: %v", m, err)
		}
	})
}
