package metal

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/emulator"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// openEmulated opens the device over the emulator, which its tests close with it.
func openEmulated(w *model.Weights, t Tiling, o emulator.Options) (*Device, error) {
	e, err := emulator.Open(shaderSource(), o)
	if err != nil {
		return nil, err
	}
	return open(w, e, t)
}

// Every tile is held to the reference, block by block, in another order of threads
// each; the last where elements go by way of memory.
func TestConformance(t *testing.T) {
	needEmulator(t)
	for i, tile := range Tiles {
		t.Run(tile.String(), func(t *testing.T) {
			if i > 0 && (testing.Short() || !modeltest.Thorough() && i != len(Tiles)-1) {
				t.Skip("one tile of each kind is enough, unless MINILM_THOROUGH asks for all")
			}
			t.Parallel()
			modeltest.Run(t, modeltest.Float16GPU, func(w *model.Weights, _ int) (model.Device, error) {
				return openEmulated(w, Uniform(tile), emulator.Options{Order: orders[i%len(orders)], OtherLanes: i == 2})
			})
		})
	}
}

// Many goroutines and many shapes leave memory as it was.
func TestEmulatedMemoryIsFlat(t *testing.T) {
	needEmulator(t)
	w, err := smallWeights(4)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	d, err := openEmulated(w, Uniform(Tiles[0]), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	places := modeltest.NewPlaces(d)
	shapes := func(seed uint64, rounds int) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				for range rounds {
					b := modeltest.Batch(r, 600, slices.Repeat([]int{1 + r.IntN(9)}, 1+r.IntN(6))...)
					out := places.In()
					err := modeltest.Score(d, w, b, make([]float32, b.Len()))
					out()
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	// The largest there can be, in both slots.
	largest := modeltest.Batch(rand.New(rand.NewPCG(1, 1)), 600, 9, 9, 9, 9, 9, 9)
	for range 2 * slotCount {
		if err := modeltest.Score(d, w, largest, make([]float32, 6)); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := d.GPUMemoryBytes()
	shapes(2, 5)
	if after, _ := d.GPUMemoryBytes(); after != before {
		t.Errorf("%d bytes after 40 batches, %d before", after, before)
	}
	e := d.driver
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if left := e.Allocated(); left != 0 {
		t.Errorf("%d bytes left after Close", left)
	}
}

// Tuning measures every tile for every product and finds one for each. What is fast
// here says nothing of a GPU.
func TestTune(t *testing.T) {
	needEmulator(t)
	e, err := emulator.Open(shaderSource(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := miniLM
	c.HiddenSize, c.Heads, c.IntermediateSize = 64, 2, 128
	calls := 0
	s, err := newSieve(e)
	if err != nil {
		t.Fatal(err)
	}
	s.computes = true
	all := effort{rows: 50, rounds: 3, repeats: 2, products: products}
	tuning, err := s.tune(t.Context(), c, all, func(done, total int) { calls++ })
	if err != nil {
		t.Fatal(err)
	}
	if len(tuning.Measurements) != 4*len(Tiles) || tuning.GPU != "emulator" || calls == 0 {
		t.Errorf("%d measurements on %q, %d calls", len(tuning.Measurements), tuning.GPU, calls)
	}
	best := map[string]Measurement{}
	for _, m := range tuning.Measurements {
		if m.Low <= 0 || m.Low > m.Median || m.Median > m.High {
			t.Errorf("%+v", m)
		}
		if b, known := best[m.Product]; !known || m.Median < b.Median {
			best[m.Product] = m
		}
	}
	if want := (Tiling{best["qkv"].Tile, best["output"].Tile, best["up"].Tile, best["down"].Tile}); tuning.Tiling != want {
		t.Errorf("chosen %v, want %v", tuning.Tiling, want)
	}
	if left := e.Allocated(); left != 0 {
		t.Errorf("%d bytes left", left)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.tune(ctx, c, all, func(int, int) {}); err == nil {
		t.Error("cancelled: no error")
	}
}

// The peak is measured by sums that come out right: by one for each step.
func TestPeak(t *testing.T) {
	needEmulator(t)
	b, err := openBench(shaderSource())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	if flops, err := measurePeak(b); err != nil || !(flops > 1e6) {
		t.Errorf("%g FLOP/s, %v", flops, err)
	}
	found, err := b.buffer(4 * 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.run(variant{kernel: peak}, [2]int{3, 1}, found); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if got := float32At(found.Bytes(), 4*i); got != 64 {
			t.Errorf("threadgroup %d: sums of %g, want 64", i, got)
		}
	}
}
