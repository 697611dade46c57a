package metal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/emulator"
	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// refusing is a GPU whose compiler refuses the kernels of these names.
func refusing(names ...string) *mock {
	return &mock{refuse: func(f gpu.Function) error {
		if slices.Contains(names, f.Name) {
			return errors.New("too many registers")
		}
		return nil
	}}
}

// says reports whether a device's choices have a line with all of these.
func says(d *Device, all ...string) bool {
	return slices.ContainsFunc(d.Choices(), func(line string) bool {
		return !slices.ContainsFunc(all, func(text string) bool { return !strings.Contains(line, text) })
	})
}

// A tile whose kernel does not compile is out, with the reason, and the device goes on
// with the chip's default, or whatever is left; without any it is an error that names
// all of them, and so is any other kernel.
func TestTilesThatDoNotCompile(t *testing.T) {
	w := tinyWeights(t, 1, 32)
	direct := Tiles[len(Tiles)-1]
	var names []string
	for _, tile := range Tiles {
		names = append(names, tile.String())
	}
	mixed := Tiling{direct, direct, Tiles[0], direct}
	usual := DefaultTiling("mock").Up
	for _, c := range []struct {
		refused []string
		want    Tiling
	}{
		{nil, mixed},
		{[]string{Tiles[0].String()}, Tiling{direct, direct, usual, direct}},
		{[]string{Tiles[0].String(), direct.String()}, Uniform(usual)},
		{slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == Tiles[4].String() }), Uniform(Tiles[4])},
	} {
		m := refusing(c.refused...)
		d, err := open(w, m, mixed)
		if err != nil {
			t.Fatalf("without %q: %v", c.refused, err)
		}
		if d.tiling != c.want {
			t.Errorf("without %q: %v, want %v", c.refused, d.tiling, c.want)
		}
		for _, name := range c.refused {
			if tried := strings.Contains(mixed.String()+usual.String(), name); tried && !says(d, "without "+name, "too many registers") {
				t.Errorf("without %s it says %q", name, d.Choices())
			}
		}
		if err := modeltest.Score(d, w, batchOf(3), make([]float32, 1)); err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil || m.live != 0 {
			t.Errorf("without %q: %v, %d objects left", c.refused, err, m.live)
		}
	}
	m := refusing(names...)
	_, err := open(w, m, mixed)
	for _, name := range names {
		if err == nil || !strings.Contains(err.Error(), name+": ") {
			t.Errorf("without any tile: %v, want why of %s", err, name)
		}
	}
	if m.live != 0 || !m.closed {
		t.Errorf("%d objects left, closed %v", m.live, m.closed)
	}
	if _, err := open(w, refusing("norm"), mixed); err == nil || !strings.Contains(err.Error(), "kernel norm: too many registers") {
		t.Errorf("without norm: %v", err)
	}
	d, err := open(w, refusing("probe"), mixed)
	if err != nil {
		t.Fatal(err)
	}
	if d.sieve.mapped || !says(d, "fragments' elements: not looked for", "too many registers") {
		t.Errorf("without the probe: mapped %v, %q", d.sieve.mapped, d.Choices())
	}
}

// A GPU that is gone is not asked tile by tile.
func TestLostWhileCompiling(t *testing.T) {
	asked := 0
	m := &mock{refuse: func(f gpu.Function) error {
		if !strings.HasPrefix(f.Name, "linear") {
			return nil
		}
		asked++
		return fmt.Errorf("%w: removed", ErrLost)
	}}
	if _, err := open(tinyWeights(t, 1, 32), m, Uniform(Tiles[0])); !errors.Is(err, ErrLost) || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
}

// A tile that needs more memory than a threadgroup has is out before it is compiled.
func TestTilesThatAreTooLarge(t *testing.T) {
	w := tinyWeights(t, 1, 32)
	for memory, want := range map[int]Tile{
		32768:                            Tiles[0],
		Tiles[0].threadgroupMemory() - 1: DefaultTiling("mock").Up,
		4096:                             Tiles[len(Tiles)-1],
	} {
		d, err := open(w, &mock{memory: memory}, Uniform(Tiles[0]))
		if err != nil {
			t.Fatal(err)
		}
		if d.tiling != Uniform(want) || want != Tiles[0] && !says(d, "without "+Tiles[0].String(), fmt.Sprintf("there are %d", memory)) {
			t.Errorf("%d bytes: %v, want %v: %q", memory, d.tiling, want, d.Choices())
		}
	}
	if _, err := open(w, &mock{memory: 100}, Uniform(Tiles[0])); err == nil || !strings.Contains(err.Error(), "there are 100") {
		t.Errorf("100 bytes: %v", err)
	}
}

// A tile for which a model has to be padded beyond what the shaders take is out for that
// model, as when it was tuned with another.
func TestTilesThatPadTooMuch(t *testing.T) {
	fsys, err := synth.FS(1, synth.Shape{Layers: 1, Hidden: 1024, Heads: 16, Intermediate: 64, Vocab: 600, Positions: 16, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	w, err := model.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	tuned := Uniform(Tiles[0])
	tuned.Output = Tiles[4] // 48 columns
	d, err := open(w, new(mock), tuned)
	if err != nil {
		t.Fatal(err)
	}
	if d.layout.width != 1024 || slices.Contains(d.tiling.each(), Tiles[4]) || !says(d, "without "+Tiles[4].String(), "at most 1024") {
		t.Errorf("%v, rows of %d: %q", d.tiling, d.layout.width, d.Choices())
	}
}

// wrongTiles are errors planted in a tile's kernel, and one that is not there at all.
var wrongTiles = []struct {
	mutation
	bad func(t Tile) bool
	why string
}{
	{mutation{"", "linear", 0, "kk < BK; kk += 8", "kk < BK - 8; kk += 8"}, func(t Tile) bool { return t.Inputs > 0 }, "wrong"},
	{mutation{"", "linear", 0, "kk < BK; kk += 8", "kk < (SM == 1 ? 8 : BK); kk += 8"}, func(t Tile) bool { return t == Tiles[1] }, "wrong"},
	{mutation{"", "linear", 0, "(bias + j * 8)", "(bias + (FN == 3 ? 0 : j * 8))"}, func(t Tile) bool { return t.Columns == 48 }, "wrong"},
	{mutation{"", "linear_direct", 0, "row = group.y * BM + simd", "row = group.y * BM + 1 + simd"}, func(t Tile) bool { return t.Inputs == 0 }, "wrong"},
	{mutation{"", "linear", 0, `[[host_name("linear_64x64x16_1x2")]]`, `[[host_name("linear_elsewhere")]]`}, func(t Tile) bool { return t == Tiles[1] }, "none of that name"},
}

// A tile that is wrong, or missing, is found before it is used and is out; the device's
// scores are those of the others.
func TestWrongTiles(t *testing.T) {
	needEmulator(t)
	w, err := smallWeights(1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b := modeltest.Batch(rand.New(rand.NewPCG(1, 1)), 600, 1, 40, 9)
	score := func(source string, tiling Tiling) (scores []float32, said []string, used Tiling) {
		t.Helper()
		e, err := emulator.Open(source, emulator.Options{})
		if err != nil {
			t.Fatal(located(err))
		}
		d, err := openChoosing(w, e, func(s *sieve) (Tiling, string, error) {
			s.computes = true
			return tiling, "on trial", nil
		})
		if err != nil {
			t.Fatal(err)
		}
		scores = make([]float32, b.Len())
		if err := modeltest.Score(d, w, b, scores); err != nil {
			t.Fatal(err)
		}
		said, used = d.Choices(), d.tiling
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		return scores, said, used
	}
	all := Tiling{Tiles[0], Tiles[1], Tiles[4], Tiles[len(Tiles)-1]}
	want, _, used := score(shaderSource(), all)
	if used != all {
		t.Errorf("right tiles: %v, want %v", used, all)
	}
	for _, c := range wrongTiles {
		source, problem := c.plant()
		if problem != "" {
			t.Fatal(problem)
		}
		got, said, used := score(source, all)
		for _, tile := range used.each() {
			if c.bad(tile) {
				t.Errorf("%s: %v is used", c.new, tile)
			}
		}
		for _, tile := range all.each() {
			out := slices.ContainsFunc(said, func(line string) bool {
				return strings.HasPrefix(line, "tiles: without "+tile.String()+": ") && strings.Contains(line, c.why)
			})
			if out != c.bad(tile) {
				t.Errorf("%s: %v is out: %v: %q", c.new, tile, out, said)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: scores %g, want %g", c.new, got, want)
		}
	}
}
