package cpu_test

import (
	"flag"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

var soak = flag.Duration("soak", 200*time.Millisecond, "how long TestSoak runs, for each variant")

// Whatever interrupts a kernel (the profiler's signals, the garbage collector, other
// goroutines, threads that move from core to core), every score keeps its bits. It is
// registers that are at stake: those of tiles are kept by nobody but the kernel. Passes
// that pause, and urgent ones that begin then and at any time, are part of it.
func TestSoak(t *testing.T) {
	fsys, err := synth.FS(7, synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 128, Vocab: 300, Positions: 128, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	w, err := model.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	runtime.SetCPUProfileRate(1000) // signals a second; nobody reads the profile
	defer runtime.SetCPUProfileRate(0)
	for _, v := range kernels.Variants() {
		if v.ISA != kernels.Generic {
			t.Run(v.String(), func(t *testing.T) { soakVariant(t, w, v) })
		}
	}
}

func soakVariant(t *testing.T, w *model.Weights, v kernels.Variant) {
	d, err := cpu.Open(w, 2, v)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r := rand.New(rand.NewPCG(1, 2))
	var sequences [24][]int32
	var want [24]float32
	ordinary, urgent := modeltest.NewPlaces(d), modeltest.NewPlaces(d)
	head := cpu.NewHead(&w.Head, w.Config.HiddenSize, v.ISA)
	forward := func(begin func(*model.Batch) (model.Pass, error), b *model.Batch, scores []float32, pause func()) {
		p, err := begin(b)
		if err != nil {
			t.Error(err)
			return
		}
		defer p.End()
		p.(model.Pauser).OnPause(pause)
		rows := make([]float32, b.Len()*w.Config.HiddenSize)
		if err := model.Forward(p, w.Config.Layers, model.Firsts, rows); err != nil {
			t.Error(err)
		}
		head.Run(new(cpu.HeadMemory), scores, rows)
	}
	for i := range sequences {
		sequences[i] = make([]int32, 1+r.IntN(70))
		for j := range sequences[i] {
			sequences[i][j] = r.Int32N(300)
		}
		var b model.Batch
		b.Append(sequences[i], make([]int32, len(sequences[i])))
		forward(d.Begin, &b, want[i:i+1], nil)
	}
	var (
		callers, others sync.WaitGroup
		stop            atomic.Bool
		scored          atomic.Int64
	)
	same := func(got []float32, which []int) {
		for i, s := range which {
			if math.Float32bits(got[i]) != math.Float32bits(want[s]) {
				t.Errorf("sequence %d is %g, alone %g", s, got[i], want[s])
				stop.Store(true)
			}
		}
		scored.Add(int64(len(got)))
	}
	others.Go(func() {
		for !stop.Load() {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
	})
	time.AfterFunc(*soak, func() { stop.Store(true) })
	for caller := range uint64(64) {
		callers.Go(func() {
			r := rand.New(rand.NewPCG(caller, 3))
			some := func(most int, run func(b *model.Batch, scores []float32)) {
				var b model.Batch
				var which []int
				for range 1 + r.IntN(most) {
					i := r.IntN(len(sequences))
					which = append(which, i)
					b.Append(sequences[i], make([]int32, len(sequences[i])))
				}
				got := make([]float32, len(which))
				run(&b, got)
				same(got, which)
			}
			first := func(b *model.Batch, scores []float32) { forward(d.BeginUrgent, b, scores, nil) }
			pause := func() {
				select {
				case urgent <- struct{}{}:
					defer func() { <-urgent }()
					if r.IntN(8) == 0 {
						some(1, first)
					}
				default:
				}
			}
			for {
				if r.IntN(8) == 0 {
					out := urgent.In()
					some(1, first)
					out()
				}
				some(5, func(b *model.Batch, scores []float32) {
					defer ordinary.In()()
					forward(d.Begin, b, scores, pause)
				})
				if stop.Load() {
					return
				}
			}
		})
	}
	callers.Wait()
	others.Wait()
	if scored.Load() < 64 {
		t.Errorf("only %d scores", scored.Load())
	}
	t.Logf("%d scores", scored.Load())
}
