package metal

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/emulator"
	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// without is a GPU that does not compile some kernels.
type without struct {
	gpu.Driver
	names []string
}

func (d *without) NewPipeline(f gpu.Function) (gpu.Pipeline, error) {
	if slices.Contains(d.names, f.Name) {
		return nil, errors.New("too many registers")
	}
	return d.Driver.NewPipeline(f)
}

func emptyCache(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home) // Linux
	t.Setenv("HOME", home)           // macOS
	t.Setenv("LocalAppData", home)   // Windows
}

// The first open on a GPU measures and remembers, unless it shall forget it, or has no
// time; tiles that cannot be used do not take part, and are told.
func TestFirstOpen(t *testing.T) {
	needEmulator(t)
	emptyCache(t)
	e, err := emulator.Open(shaderSource(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := miniLM
	c.HiddenSize, c.Heads, c.IntermediateSize = 64, 2, 128
	choose := func(e effort, forget bool, d gpu.Driver) (Tiling, string, *sieve) {
		t.Helper()
		s, err := newSieve(d)
		if err != nil {
			t.Fatal(err)
		}
		s.computes = true
		tiling, why, err := s.choose(c, e, forget)
		if err != nil {
			t.Fatal(err)
		}
		return tiling, why, s
	}
	usual := DefaultTiling(e.Info().Name)
	quick := effort{rows: 50, rounds: 1, repeats: 1, products: first.products}
	short := quick
	short.limit = time.Nanosecond
	if tiling, why, _ := choose(short, false, e); tiling != usual || !strings.Contains(why, "no time") {
		t.Errorf("without time: %v, %s", tiling, why)
	}
	if _, why, _ := choose(quick, true, e); why != "as measured now" {
		t.Errorf("at first: %s", why)
	}
	if _, known, err := storedTiling(e.Info()); known || err != nil {
		t.Errorf("to be forgotten, and kept: %v, %v", known, err)
	}
	left := &without{e, []string{usual.Up.String(), Tiles[0].String(), Tiles[2].String(), Tiles[3].String(), Tiles[4].String()}}
	tiling, why, s := choose(quick, false, left)
	if tiling != Uniform(Tiles[5]) || why != "as measured now" || len(s.out) != 5 || !strings.Contains(s.reasons().Error(), "too many registers") {
		t.Errorf("with one tile alone: %v, %s, %v are out", tiling, why, s.out)
	}
	if tiling, why, _ := choose(quick, false, e); tiling != Uniform(Tiles[5]) || why != "as measured before" {
		t.Errorf("afterwards: %v, %s", tiling, why)
	}
	if left := e.Allocated(); left != 0 {
		t.Errorf("%d bytes left", left)
	}
}

// Nothing is taken for faster than the chip's default that is not so beyond noise.
func TestPrefer(t *testing.T) {
	usual, other := Tiles[1], Tiles[3]
	of := func(us, them time.Duration) Tiling {
		tuning := Tuning{Tiling: Uniform(other), Measurements: []Measurement{{Tile: usual, Median: us}, {Tile: other, Median: them}}}
		tuning.prefer(usual)
		return tuning.Tiling
	}
	if got := of(100, 97); got != Uniform(usual) {
		t.Errorf("3 %% faster: %v", got)
	}
	if got := of(100, 90); got != Uniform(other) {
		t.Errorf("10 %% faster: %v", got)
	}
	alone := Tuning{Tiling: Uniform(other), Measurements: []Measurement{{Tile: other, Median: 90}}}
	if alone.prefer(usual); alone.Tiling != Uniform(other) {
		t.Errorf("the default is out: %v", alone.Tiling)
	}
}

// A tuning goes on without what does not compile, and without a tile that pads too much.
func TestTuneWithout(t *testing.T) {
	needEmulator(t)
	e, err := emulator.Open(shaderSource(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := model.Config{Layers: 1, HiddenSize: 1024, Heads: 32, IntermediateSize: 64, VocabSize: 600, MaxPositions: 32, TypeVocabSize: 2, Labels: 1}
	s, err := newSieve(&without{e, []string{Tiles[0].String()}})
	if err != nil {
		t.Fatal(err)
	}
	tuning, err := s.tune(t.Context(), c, effort{rows: 1, rounds: 1, repeats: 1, products: []string{"up"}}, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(tuning.Measurements) != len(Tiles)-2 || len(tuning.Without) != 1 || !strings.Contains(tuning.Without[0], Tiles[0].String()+": kernel") {
		t.Errorf("%d measurements, without %q", len(tuning.Measurements), tuning.Without)
	}
	var names []string
	for _, tile := range Tiles {
		names = append(names, tile.String())
	}
	if s, err = newSieve(&without{e, names}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.tune(t.Context(), c, effort{rows: 1, rounds: 1, repeats: 1, products: products}, func(int, int) {}); err == nil || !strings.Contains(err.Error(), names[5]+": ") {
		t.Errorf("without any tile: %v", err)
	}
	if left := e.Allocated(); left != 0 {
		t.Errorf("%d bytes left", left)
	}
}
