package metal

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"time"

	"github.com/x448/float16"

	"github.com/minilm-metal/minilm-metal/model"
)

// Tuning is the result of measuring a GPU: how long each tile took for each of a layer's
// products, and the fastest tiling.
type Tuning struct {
	GPU, System  string
	Rows         int // number of tokens
	Tiling       Tiling
	Measurements []Measurement
	Without      []string // tiles that the GPU cannot use, each with the reason
}

// Measurement is how long one tile took for one product, by the GPU's clock.
type Measurement struct {
	Product           string // "qkv", "output", "up", "down"
	In, Out           int
	Tile              Tile
	Median, Low, High time.Duration // time of one product
}

// GFLOPS returns the rate at the median time, without counting padding.
func (m *Measurement) GFLOPS(rows int) float64 {
	return 2 * float64(rows) * float64(m.In) * float64(m.Out) / float64(m.Median)
}

const (
	// tuneRows is the number of tokens in a batch of 32 pairs of MS MARCO.
	tuneRows = 2816
	// Each tile has tuneRounds turns, after one that does not count. A turn is tuneRepeats
	// products in one command buffer, so that the overhead around them hardly counts.
	tuneRounds, tuneRepeats = 11, 8
)

// Effort is how much Tune measures. A field that is 0 has its usual value.
type Effort struct {
	Rows    int // rows of the products, as tokens in a batch
	Rounds  int // rounds that count; in each of them every tile has one turn
	Repeats int // products in one turn
}

// Tune measures the tiles on the machine's GPU, for a model of the given sizes. It calls
// progress now and then. If a device is open on the GPU, it should be idle.
func Tune(ctx context.Context, c model.Config, e Effort, progress func(done, total int)) (*Tuning, error) {
	driver, err := openDriver(os.Getenv(AnyGPU) != "")
	if err != nil {
		return nil, err
	}
	s, err := newSieve(driver)
	var t *Tuning
	if err == nil {
		s.computes = true
		all := effort{rows: cmp.Or(e.Rows, tuneRows), rounds: cmp.Or(e.Rounds, tuneRounds), repeats: cmp.Or(e.Repeats, tuneRepeats), products: products}
		t, err = s.tune(ctx, c, all, progress)
	}
	return t, errors.Join(err, driver.Close())
}

// products are the names of a layer's products.
var products = []string{"qkv", "output", "up", "down"}

// effort says how much a tuning measures, and when it stops.
type effort struct {
	rows, rounds, repeats int
	products              []string
	limit                 time.Duration // the time for compiling, and again for measuring; 0: no limit
}

// errNoTime is the error of a tuning that ended before every tile had a turn.
var errNoTime = errors.New("metal: no time to measure the tiles")

func (s *sieve) tune(ctx context.Context, c model.Config, e effort, progress func(done, total int)) (_ *Tuning, err error) {
	f, err := s.enter(c, e)
	defer f.release()
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	for round := range e.rounds + 1 {
		for i, one := range f.all {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if e.limit > 0 && time.Since(begun) > e.limit {
				if round < 2 {
					return nil, errNoTime
				}
				return f.result(s, e), nil
			}
			if err := f.turn(s.driver, one, e.repeats, round > 0); err != nil {
				return nil, err
			}
			progress(round*len(f.all)+i+1, (e.rounds+1)*len(f.all))
		}
	}
	return f.result(s, e), nil
}

// fill writes small numbers in half. With zeros, a GPU may be faster, or cooler.
func fill(b []byte) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := 0; i+2 <= len(b); i += 2 {
		binary.LittleEndian.PutUint16(b[i:], float16.Fromfloat32(r.Float32()-0.5).Bits())
	}
}
