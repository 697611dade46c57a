//go:build fakemetal

package metal

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/darwinkit"
	"github.com/minilm-metal/minilm-metal/metal/internal/emulator"
	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// books counts what a driver is asked to make, of which the stand-in for Metal never
// frees some small object each: a command buffer's list of what it keeps, a function's
// name, a buffer's label. TestStandIn of package darwinkit measures that it is one.
type books struct {
	gpu.Driver
	made atomic.Int64
}

func (b *books) NewBuffer(label string, bytes int) (gpu.Buffer, error) {
	b.made.Add(1)
	return b.Driver.NewBuffer(label, bytes)
}

func (b *books) NewPipeline(f gpu.Function) (gpu.Pipeline, error) {
	b.made.Add(1)
	return b.Driver.NewPipeline(f)
}

func (b *books) Run(work []gpu.Dispatch) (gpu.Times, error) {
	b.made.Add(1)
	return b.Driver.Run(work)
}

// openDarwinkit opens the device over the real darwinkit.
func openDarwinkit(t *testing.T, w *model.Weights, tiling Tiling) (*Device, *books) {
	t.Helper()
	driver, err := darwinkit.Open(shaderSource(), false)
	if err != nil {
		t.Fatal(located(err))
	}
	b := &books{Driver: driver}
	d, err := open(w, b, tiling)
	if err != nil {
		t.Fatal(err)
	}
	return d, b
}

// Scores on darwinkit are the emulator's, for every tile, and so is what is pooled in every
// other way.
func TestDarwinkitIsTheEmulator(t *testing.T) {
	w, err := smallWeights(5)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b := modeltest.Batch(rand.New(rand.NewPCG(1, 1)), 600, 1, 34, 66)
	want, got := make([]float32, b.Len()), make([]float32, b.Len())
	reduce := model.Reductions(nil, []model.Pooling{model.PoolCls, model.PoolMean, model.PoolMax, model.PoolMeanSqrt, model.PoolWeightedMean, model.PoolLast}, b)
	reduce = append(reduce, model.Reduce{Kind: model.MaxOf, Weights: make([]float32, b.Tokens())})
	for i := range reduce[len(reduce)-1].Weights { // of the first sequence, of one row, nothing
		reduce[len(reduce)-1].Weights[i] = float32(i % 2)
	}
	wantRows := make([]float32, b.Len()*len(reduce)*w.Config.HiddenSize)
	gotRows := make([]float32, len(wantRows))
	if err := withDevice(shaderSource(), emulator.Options{}, w, Uniform(Tiles[0]), func(d *Device) error {
		return errors.Join(modeltest.Score(d, w, b, want), model.Encode(d, &w.Config, b, reduce, wantRows))
	}); err != nil {
		t.Fatal(err)
	}
	for _, tile := range Tiles {
		d, _ := openDarwinkit(t, w, Uniform(tile))
		if !d.sieve.mapped {
			t.Error("elements of fragments are not found")
		}
		if err := errors.Join(modeltest.Score(d, w, b, got), model.Encode(d, &w.Config, b, reduce, gotRows)); err != nil {
			t.Error(err)
		}
		if !slices.Equal(gotRows, wantRows) {
			t.Errorf("%v: pooled rows are not the emulator's", tile)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%v: sequence %d: logit %g, %g on the emulator", tile, i, got[i], want[i])
			}
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Pairs of MS MARCO's lengths on darwinkit: as far from float64 as half may be, and
// near the emulator.
func TestDarwinkitMarco(t *testing.T) {
	m := openMarco(t, "wide")
	d, _ := openDarwinkit(t, m.w, DefaultTiling("Apple M1"))
	got := m.score(t, d)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	m.check(t, got)
	e, err := openEmulated(m.w, DefaultTiling("Apple M1"), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	worst := 0.0
	for i, want := range m.score(t, e) {
		worst = max(worst, math.Abs(float64(got[i]-want)))
	}
	t.Logf("at most %.2g from the emulator", worst)
	if worst > 1e-2 {
		t.Errorf("logits are up to %.2g from the emulator's, want at most 0.01", worst)
	}
}

// With trained weights the scores on darwinkit are as close to float64's as on the emulator.
func TestDarwinkitTrained(t *testing.T) {
	r := openTrained(t)
	driver, err := darwinkit.Open(shaderSource(), false)
	if err != nil {
		t.Fatal(located(err))
	}
	r.check(t, driver)
}

// A thousand batches from eight goroutines leave the live objects and the memory as
// they were, and so does Close what was there before Open.
func TestDarwinkitKeepsNothing(t *testing.T) {
	w := tinyWeights(t, 1, 32)
	first, _ := openDarwinkit(t, w, Uniform(Tiles[2])) // the stand-in keeps the device that it makes once
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	live := func() int64 {
		runtime.GC()
		return darwinkit.LiveObjects()
	}
	begun := live()
	d, made := openDarwinkit(t, w, Uniform(Tiles[2]))
	places := modeltest.NewPlaces(d)
	score := func(b *model.Batch) {
		defer places.In()()
		if err := modeltest.Score(d, w, b, make([]float32, b.Len())); err != nil {
			t.Error(err)
		}
	}
	largest := batchOf(3, 3, 3)
	for range 2 * slotCount {
		score(largest)
	}
	objects, bytes, counted := live(), d.driver.Allocated(), made.made.Load()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range 125 {
				score(modeltest.Batch(r, 600, 1+r.IntN(3), 1+r.IntN(3)))
			}
		})
	}
	wg.Wait()
	ran := made.made.Load() - counted
	if ran != 1000 {
		t.Errorf("%d runs or objects made in 1000 batches", ran)
	}
	if more := live() - objects; more != ran {
		t.Errorf("%d objects more after 1000 batches, the stand-in keeps %d", more, ran)
	}
	if now := d.driver.Allocated(); now != bytes {
		t.Errorf("%d bytes after 1000 batches, %d before", now, bytes)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if more := live() - begun; more != made.made.Load() {
		t.Errorf("%d objects more after Close, the stand-in keeps %d", more, made.made.Load())
	}
}

// A batch costs few messages, each of which costs a microsecond or more.
func TestMessagesOfABatch(t *testing.T) {
	w := tinyWeights(t, 6, 64)
	d, made := openDarwinkit(t, w, Uniform(Tiles[2]))
	defer d.Close()
	b := batchOf(3, 4)
	score := func() int64 {
		before := made.Driver.(*darwinkit.Driver).Messages()
		if err := modeltest.Score(d, w, b, make([]float32, b.Len())); err != nil {
			t.Fatal(err)
		}
		return made.Driver.(*darwinkit.Driver).Messages() - before
	}
	for range slotCount {
		score()
	}
	n := score()
	t.Logf("%d messages for a batch of six layers, 44 dispatches", n)
	if n >= 250 {
		t.Errorf("%d messages, want fewer than 250", n)
	}
}
