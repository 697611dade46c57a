package cpu_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// Scores keep their bits: they are those of commit bffe7de, in which devices computed the
// head. Float32 is the same on all instruction sets but Generic, and int8 where attention is
// float32. On other processors Go fuses products and sums in plain code, and bits differ.
func TestScoresKeepTheirBits(t *testing.T) {
	lengths := []int{1, 5, 17, 33, 64, 87, 130}
	short := []int{5, 33} // plain Go is slow
	for i, test := range []struct {
		shape                 synth.Shape
		f32, int8, f32Generic []float32
	}{
		{
			synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 256, Vocab: 30522, Positions: 512, Types: 2, Labels: 1},
			[]float32{-5.6067066, -3.3022828, 7.7870474, -7.465748, -7.3721843, -4.394612, -5.8507376},
			[]float32{-5.5973563, -3.0067387, 7.725765, -7.3654494, -7.246935, -4.5180345, -5.876523},
			[]float32{-1.7466938, 0.8309477},
		}, {
			synth.Shape{Layers: 3, Hidden: 45, Heads: 5, Intermediate: 67, Vocab: 30522, Positions: 512, Types: 2, Labels: 1},
			[]float32{-6.181796, 4.84683, -1.6563201, 2.0673933, 4.4254913, 1.9426832, 1.9515386},
			[]float32{-6.189536, 4.659706, -1.7949002, 1.913827, 4.5797334, 2.1664975, 2.0042865},
			[]float32{1.6546574, -1.5493431},
		},
	} {
		fsys, err := synth.FS(uint64(i+1), test.shape)
		if err != nil {
			t.Fatal(err)
		}
		w, err := model.Load(fsys)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		for _, isa := range kernels.Permitted() {
			head := cpu.NewHead(&w.Head, test.shape.Hidden, isa)
			score := func(f kernels.Format, lengths []int, want []float32) {
				d := open(t, w, 1, kernels.Variant{ISA: isa, Format: f})
				defer d.Close()
				r, b := rand.New(rand.NewPCG(1, 2)), new(model.Batch)
				for _, n := range lengths {
					for t := range n {
						b.IDs, b.Types = append(b.IDs, int32(r.IntN(test.shape.Vocab))), append(b.Types, int32(t*2/n))
					}
					b.End()
				}
				rows, got := make([]float32, b.Len()*test.shape.Hidden), make([]float32, b.Len())
				if err := model.Encode(d, &w.Config, b, model.Firsts, rows); err != nil {
					t.Fatal(err)
				}
				if head.Run(new(cpu.HeadMemory), got, rows); !slices.Equal(got, want) {
					t.Errorf("%v %v of %d channels: %v, want the very same as %v", isa, f, test.shape.Hidden, got, want)
				}
			}
			if isa == kernels.Generic {
				score(kernels.F32, short, test.f32Generic)
				continue
			}
			score(kernels.F32, lengths, test.f32)
			heads := kernels.Heads{Count: test.shape.Heads, Size: test.shape.Hidden / test.shape.Heads}
			if slices.Contains(isa.Formats(), kernels.Int8) && !isa.AttendsBF16(heads) {
				score(kernels.Int8, lengths, test.int8)
			}
		}
	}
}
