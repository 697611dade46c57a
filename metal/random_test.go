package metal

import (
	"errors"
	"flag"
	"fmt"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/emulator"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

var (
	models = flag.Int("models", 16, "how many random models TestRandomModels tries; -short: a quarter")
	first  = flag.Uint64("first", 1, "the seed of the first of them")
)

// Of whatever sizes a model is, each block is within what rounding to half allows, in every
// tile and in another order of threads each time. A failure says the seed and the
// sizes: -first SEED -models 1 has it again.
func TestRandomModels(t *testing.T) {
	needEmulator(t)
	n := *models
	if testing.Short() {
		n = (n + 3) / 4
	}
	for i := range n {
		seed := *first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			m, err := modeltest.NewRandom(seed)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Weights.Close()
			tile := Uniform(Tiles[seed%uint64(len(Tiles))])
			order := orders[seed/uint64(len(Tiles))%uint64(len(orders))]
			d, err := openEmulated(m.Weights, tile, emulator.Options{Order: order, OtherLanes: seed%3 == 0})
			if errors.Is(err, ErrModel) && m.Shape.Hidden > mostWidth-tile.columns() {
				t.Skip(err)
			}
			if err != nil {
				t.Fatalf("%v: %v", m, err)
			}
			_, largest, err := m.Hold(d, modeltest.RoundsFloat16GPU)
			if err != nil {
				t.Errorf("%v: %v, order %s: %v", m, tile, order, err)
			}
			t.Logf("%v: errors up to %.2f of what they may be", m, largest)
			if err := d.Close(); err != nil {
				t.Errorf("%v: %v", m, err)
			}
		})
	}
}
