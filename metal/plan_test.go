package metal

import (
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
)

// miniLM are the sizes of ms-marco-MiniLM-L-6-v2.
var miniLM = model.Config{Layers: 6, HiddenSize: 384, Heads: 12, IntermediateSize: 1536, VocabSize: 30522, MaxPositions: 512, TypeVocabSize: 2, LayerNormEps: 1e-12, Labels: 1}

func batchOf(lengths ...int) *model.Batch {
	b := new(model.Batch)
	for _, n := range lengths {
		b.Append(make([]int32, n), make([]int32, n))
	}
	return b
}

func planOf(t *testing.T, c model.Config, tiling Tiling, b *model.Batch) *planner {
	t.Helper()
	p, err := newPlanner(c, tiling)
	if err != nil {
		t.Fatal(err)
	}
	if err := model.Encode(p, &c, b, model.Firsts, nil); err != nil {
		t.Fatal(err)
	}
	return p
}

// A batch of MiniLM is 44 dispatches, and they do what Config.FLOPs counts.
func TestPlan(t *testing.T) {
	b := batchOf(1, 87, 512, 33, 32)
	p := planOf(t, miniLM, Uniform(Tiles[0]), b)
	if len(p.steps) != 44 {
		t.Errorf("%d dispatches, want 44", len(p.steps))
	}
	want, got := int64(0), int64(0)
	for i := range b.Len() {
		lo, hi := b.Bounds(i)
		want += miniLM.FLOPs(hi-lo, model.ClsRows)
	}
	for _, s := range p.steps {
		got += s.flops
		if s.groups[0] < 1 || s.groups[1] < 1 {
			t.Errorf("%s: grid %d", s.name(), s.groups)
		}
		for i, o := range s.operands {
			if has := o.place != none; has != (i < len(s.kernel.operands)) {
				t.Errorf("%s: operand %d of %d: place %d", s.name(), i, len(s.kernel.operands), o.place)
			}
			if o.offset%partAlignment != 0 {
				t.Errorf("%s: operand %d at byte %d", s.name(), i, o.offset)
			}
		}
	}
	if got != want {
		t.Errorf("%d FLOPs planned, the model has %d", got, want)
	}
	if p.rows != b.Len() || p.x != streamCls {
		t.Errorf("the last layer ends with %d rows, want the %d [CLS] rows", p.rows, b.Len())
	}
	// 3 queries blocks of 87, 16 of 512, 2 of 33, one each of 1 and 32.
	if p.items != 1+3+16+2+1 {
		t.Errorf("%d items of attention", p.items)
	}
	if again := testing.AllocsPerRun(10, func() {
		if err := model.Encode(p, &miniLM, b, model.Firsts, nil); err != nil {
			t.Error(err)
		}
	}); again != 0 {
		t.Errorf("%v allocations to plan a batch again", again)
	}
}

// Every tile's columns divide every product's, so that grids have whole tiles.
func TestTilesFit(t *testing.T) {
	odd := miniLM
	odd.HiddenSize, odd.Heads, odd.IntermediateSize = 45, 5, 67
	for _, c := range []model.Config{miniLM, odd} {
		for _, tile := range Tiles {
			tiling := Uniform(Tiles[0])
			tiling.Up = tile
			p := planOf(t, c, tiling, batchOf(40))
			k := p.kernels
			for _, v := range []*variant{&k.qkv, &k.keyValue, &k.output, &k.outputCls, &k.up, &k.down} {
				if n := v.product.columns; n%v.columns != 0 || v.first+n != v.stride {
					t.Errorf("%v in %d channels: outputs %d to %d of %d, in columns of %d", tile, c.HiddenSize, v.first, v.first+n, v.stride, v.columns)
				}
				if v.in%tile.step() != 0 {
					t.Errorf("%v: %d inputs", tile, v.in)
				}
			}
			if c.HiddenSize == 384 && (p.layout.width != 384 || p.layout.inner != 1536 || p.layout.context() != 384) {
				t.Errorf("%v: MiniLM is padded to %+v", tile, p.layout)
			}
		}
	}
}

func TestLayoutRefuses(t *testing.T) {
	for what, change := range map[string]func(c *model.Config){
		"wide":       func(c *model.Config) { c.HiddenSize = 1100 },
		"large head": func(c *model.Config) { c.HiddenSize, c.Heads = 512, 2 },
		"no heads":   func(c *model.Config) { c.Heads = 0 },
		"types":      func(c *model.Config) { c.TypeVocabSize = 1 << 20 },
	} {
		c := miniLM
		change(&c)
		if _, err := newLayout(c, 64); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// Estimates are of a model and cannot be held to a machine; they can be held to
// themselves.
func TestEstimates(t *testing.T) {
	b := batchOf(95, 95, 95, 95, 95, 95, 95, 95)
	for _, chip := range Chips {
		for _, tile := range Tiles {
			all, err := EstimatePass(chip, miniLM, Uniform(tile), b)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				if e.Padded < e.FLOPs || e.Resident < 1 || e.Waves <= 0 || e.Roofline() <= 0 || e.Bytes <= 0 {
					t.Errorf("%s, %v: %+v", chip.Name, tile, e)
				}
			}
		}
	}
	for _, name := range []string{"Apple M1 Pro", "m1 pro"} {
		if c, err := FindChip(name); err != nil || c.Cores != 16 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	if _, err := FindChip("M1 Mega"); err == nil || !strings.Contains(err.Error(), "M2 Max") {
		t.Errorf("an unknown chip: %v", err)
	}
}
