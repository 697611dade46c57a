package cpu_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/kernels/cpu/rounding"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/conformance"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// variants are all that differ: those of kernels.Variants, and int8 beside attention in
// bfloat16, whose products are another instruction set's.
func variants() []kernels.Variant {
	var all []kernels.Variant
	for _, isa := range kernels.Permitted() {
		for _, f := range isa.Formats() {
			v := kernels.Variant{ISA: isa, Format: f}
			if v == v.Kernels() || f == kernels.Int8 && isa.AttendsBF16(kernels.Heads{Count: 1, Size: 32}) {
				all = append(all, v)
			}
		}
	}
	return all
}

func open(t *testing.T, w *model.Weights, workers int, v kernels.Variant) *cpu.Device {
	t.Helper()
	d, err := cpu.Open(w, workers, v)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Of whatever sizes a model is, each block of each variant is within what its rounding
// allows; what is pooled is the same, bit for bit, alone, in company, and with more workers; and
// those of float32, and of int8, are the same on all instruction sets but Generic. A
// failure says the seed and the sizes.
func TestRandomModels(t *testing.T) {
	modeltest.EachRandom(t, 24, func(t *testing.T, m *conformance.Case) {
		same := map[string][]float32{}
		for _, v := range variants() {
			d := open(t, m.Weights, 1, v)
			report, err := m.Hold(d, rounding.Of(v.Format))
			if err != nil {
				t.Errorf("%v: %v: %v", m, v, err)
			}
			t.Logf("%v: errors up to %.2f of what they may be", v, report.Largest())
			if err := d.Close(); err != nil {
				t.Errorf("%v: %v: %v", m, v, err)
			}
			rows := report.Pooled
			if rows == nil {
				continue
			}
			company(t, m, v, rows)
			if v.ISA == kernels.Generic || v.Format != kernels.F32 && v.Format != kernels.Int8 {
				continue
			}
			kind := v.Format.String()
			if heads := (kernels.Heads{Count: 1, Size: m.Weights.Config.HeadSize()}); v.Format == kernels.Int8 && v.ISA.AttendsBF16(heads) {
				kind += ", attends in bfloat16"
				if v.ISA.AttendsTiles(heads) {
					kind += " on tiles" // whose instruction rounds its sums in another way
				}
			}
			if same[kind] == nil {
				same[kind] = rows
			}
			identical(t, m, v, "another instruction set", same[kind], rows)
		}
	})
}

// company pools each sequence alone, by several workers.
func company(t *testing.T, m *conformance.Case, v kernels.Variant, together []float32) {
	t.Helper()
	d := open(t, m.Weights, 3, v)
	defer d.Close()
	alone := make([]float32, len(together))
	width := len(m.Reduce) * m.Weights.Config.HiddenSize
	for i := range m.Batch.Len() {
		var one model.Batch
		m.Batch.Slice(&one, i, i+1)
		if err := model.Encode(d, &m.Weights.Config, &one, m.Head.Reductions(nil, &one, m.Prompts[i:i+1]), alone[i*width:][:width]); err != nil {
			t.Errorf("%v: %v: %v", m, v, err)
		}
	}
	identical(t, m, v, "alone", together, alone)
}

func identical(t *testing.T, m *conformance.Case, v kernels.Variant, how string, want, got []float32) {
	t.Helper()
	bits := func(x []float32) (all []uint32) {
		for _, v := range x {
			all = append(all, math.Float32bits(v))
		}
		return all
	}
	if !slices.Equal(bits(want), bits(got)) {
		t.Errorf("%v: %v: %s: %g, want the very same as %g", m, v, how, got, want)
	}
}

// The bounds are not so wide that what is wrong is within them: a device whose weights lack
// the last input of a product, or have two of its outputs in each other's place, is seen
// in float32 wherever that makes a difference, and in each other format in some models at
// least.
func TestRandomModelsSeeFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("it says of the bounds, not of the kernels, that they are good")
	}
	faults := map[string]func(w []float32, out, in int){
		"the last input missing": func(w []float32, out, in int) {
			for o := range out {
				w[o*in+in-1] = 0
			}
		},
		"the first output in place of the last": func(w []float32, out, in int) { copy(w[(out-1)*in:], w[:in]) },
	}
	products := map[string]func(w *model.Weights) *model.Linear{
		"query":  func(w *model.Weights) *model.Linear { return &w.Layers[0].Query },
		"key":    func(w *model.Weights) *model.Linear { return &w.Layers[0].Key },
		"value":  func(w *model.Weights) *model.Linear { return &w.Layers[0].Value },
		"output": func(w *model.Weights) *model.Linear { return &w.Layers[0].Output },
		"up":     func(w *model.Weights) *model.Linear { return &w.Layers[0].Up },
		"down":   func(w *model.Weights) *model.Linear { return &w.Layers[0].Down },
	}
	best := kernels.Permitted()[0]
	seen := map[string]int{}
	for seed := uint64(1); seed <= 12; seed++ {
		m := modeltest.Draw(t, seed)
		for product, of := range products {
			for fault, spoil := range faults {
				l := of(m.Weights)
				out, in := l.W.Shape()[0], l.W.Shape()[1]
				values := slices.Clone(model.Float32s(l.W))
				if spoil(values, out, in); slices.Equal(values, model.Float32s(l.W)) {
					continue
				}
				w := *m.Weights
				w.Layers = slices.Clone(w.Layers)
				of(&w).W = tensor.New(tensor.WithShape(out, in), tensor.WithBacking(values))
				for _, f := range best.Formats() {
					d := open(t, &w, 1, kernels.Variant{ISA: best, Format: f})
					_, err := m.Hold(d, rounding.Of(f))
					d.Close()
					name := fmt.Sprintf("%v: %s: %s", f, product, fault)
					if seen[name] += 0; err != nil {
						seen[name]++
					}
					// With one key there is no softmax.
					counts := product != "query" && product != "key" || m.Batch.Longest() > 1
					if f == kernels.F32 && counts && err == nil {
						t.Errorf("%v: %s: not seen", m, name)
					}
				}
			}
		}
	}
	for name, times := range seen {
		if times == 0 {
			t.Errorf("%s: in no model seen", name)
		}
		t.Logf("%s: seen %d times", name, times)
	}
}
