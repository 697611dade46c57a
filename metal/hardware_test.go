//go:build (darwin && cgo) || fakemetal

package metal

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/conformance"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// eachTile runs test for every tile, and for both ways that the elements of fragments go: on
// the stand-in for a GPU, for one tile of each kind, each with one of the ways.
func eachTile(t *testing.T, test func(t *testing.T, open func(*model.Weights) (*Device, error))) {
	for i, tile := range Tiles {
		for _, byMemory := range []bool{false, true} {
			last := i == len(Tiles)-1
			if standIn && !modeltest.Thorough() && (i > 0 && !last || byMemory != last) {
				continue
			}
			t.Run(fmt.Sprintf("%v,ByMemory=%v", tile, byMemory), func(t *testing.T) {
				test(t, func(w *model.Weights) (*Device, error) {
					d, err := OpenTile(w, tile, byMemory)
					if err == nil && d.sieve.mapped && byMemory {
						err = errors.New("elements do not go by way of memory")
					}
					return d, err
				})
			})
		}
	}
}

// The machine's GPU is what a device must be, in every tile.
func TestConformanceOnGPU(t *testing.T) {
	needGPU(t)
	if standIn && !modeltest.Thorough() {
		t.Skip("a stand-in for a GPU needs minutes for each tile, with MINILM_THOROUGH; its scores are held to the emulator's, bit for bit, by another test")
	}
	eachTile(t, func(t *testing.T, open func(*model.Weights) (*Device, error)) {
		modeltest.Run(t, modeltest.Float16GPU, func(w *model.Weights, _ int) (model.Device, error) { return open(w) })
	})
}

// Every value of every block is within what rounding to half explains, on MiniLM's sizes.
func TestBoundsOnGPU(t *testing.T) {
	needGPU(t)
	shape := synth.Shape{Layers: 2, Hidden: 384, Heads: 12, Intermediate: 1536, Vocab: 200, Positions: 512, Types: 2, Labels: 1}
	lengths := []int{1, 33, 64, 7}
	if standIn {
		shape.Hidden, shape.Heads, shape.Intermediate, lengths = 96, 3, 200, []int{1, 33}
	}
	c, err := conformance.NewCase(1, shape, []model.Pooling{model.PoolCls, model.PoolLast, model.PoolMax, model.PoolMean}, lengths...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Weights.Close()
	eachTile(t, func(t *testing.T, open func(*model.Weights) (*Device, error)) {
		d, err := open(c.Weights)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		report, err := c.Hold(d, conformance.RoundsFloat16GPU)
		if err != nil {
			t.Error(err)
		}
		t.Logf("errors up to %.2f of what they may be", report.Largest())
	})
}

// Weights that are mapped from a file and weights that are in memory are the same to the
// GPU, which has its own copy of both: they may be closed as soon as it is open.
func TestMappedAndCopiedWeightsOnGPU(t *testing.T) {
	needGPU(t)
	shape := synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 128, Vocab: 300, Positions: 64, Types: 2, Labels: 1}
	dir := t.TempDir()
	if err := (synth.Checkpoint{Seed: 3, Shape: shape}).WriteDir(dir, true); err != nil {
		t.Fatal(err)
	}
	inMemory, err := synth.FS(3, shape)
	if err != nil {
		t.Fatal(err)
	}
	b := modeltest.Batch(rand.New(rand.NewPCG(1, 1)), shape.Vocab, 1, 34, 64)
	eachTile(t, func(t *testing.T, open func(*model.Weights) (*Device, error)) {
		var bits [2][]uint32
		for i, files := range []func() (*model.Weights, error){
			func() (*model.Weights, error) { return model.Load(os.DirFS(dir)) },
			func() (*model.Weights, error) { return model.Load(inMemory) },
		} {
			w, err := files()
			if err != nil {
				t.Fatal(err)
			}
			d, err := open(w)
			config := w.Config
			if err := errors.Join(err, w.Close()); err != nil {
				t.Fatal(err)
			}
			rows := make([]float32, b.Len()*config.HiddenSize)
			if err := errors.Join(model.Encode(d, &config, b, model.Firsts, rows), d.Close()); err != nil {
				t.Fatal(err)
			}
			for _, v := range rows {
				bits[i] = append(bits[i], math.Float32bits(v))
			}
		}
		if !slices.Equal(bits[0], bits[1]) {
			t.Errorf("bits of the rows: %x with mapped weights, %x with copied ones", bits[0], bits[1])
		}
	})
}
