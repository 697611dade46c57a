package modeltest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// kernelTimes tests the kernel times of a device that reports them.
func (s *suite) kernelTimes(t *testing.T) {
	d := s.device(t, 2)
	timer, ok := d.(model.KernelTimer)
	if !ok {
		t.Skip("the device does not time its kernels")
	}
	r := rand.New(rand.NewPCG(6, 6))
	var batches []*model.Batch
	var want []float32
	flops := int64(0)
	for range 4 {
		b := s.batch(r, 1+r.IntN(40), 1+r.IntN(120), 1)
		batches = append(batches, b)
		want = append(want, s.encode(t, d, b)...) // before the timing: not to be counted
		for i := range b.Len() {
			lo, hi := b.Bounds(i)
			flops += s.w.Config.FLOPs(hi-lo, model.ClsRows)
		}
	}

	stop := timer.TimeKernels()
	begun := time.Now()
	rows := make([][]float32, len(batches))
	places := NewPlaces(d)
	var wg sync.WaitGroup
	for i, b := range batches {
		wg.Go(func() {
			defer places.In()()
			rows[i] = make([]float32, b.Len()*s.w.Config.HiddenSize)
			if err := model.Encode(d, &s.w.Config, b, model.Firsts, rows[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	kernels := stop()
	elapsed := time.Since(begun)
	s.same(t, slices.Concat(rows...), want)

	seen, counted, spent := map[model.KernelTime]bool{}, int64(0), time.Duration(0)
	blocks := make([][]string, s.w.Config.Layers+1) // of each layer, the outside first
	for _, k := range kernels {
		if k.Layer < -1 || k.Layer >= s.w.Config.Layers || k.Kernel == "" || k.Calls < 1 || k.Time < 0 || k.FLOPs < 0 || k.Bytes < 0 {
			t.Errorf("%+v", k)
			continue
		}
		name := model.KernelTime{Layer: k.Layer, Block: k.Block, Kernel: k.Kernel, Shape: k.Shape}
		if seen[name] {
			t.Errorf("twice: %+v", name)
		}
		seen[name] = true
		if k.Block != "" && !slices.Contains(blocks[k.Layer+1], k.Block) {
			blocks[k.Layer+1] = append(blocks[k.Layer+1], k.Block)
		}
		counted += k.FLOPs
		spent += k.Time
	}
	if counted != flops {
		t.Errorf("%d FLOPs counted, the model has %d", counted, flops)
	}
	if most := elapsed * time.Duration(d.Passes()); spent <= 0 || spent > most {
		t.Errorf("%v spent, want above 0 and at most the %v of %d workers", spent, most, d.Passes())
	}
	for i, got := range blocks {
		want := []string{"attention", "feed-forward"}
		if i == 0 {
			want = []string{"embed", "pool"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("layer %d: blocks %q, want %q", i-1, got, want)
		}
	}
	inLayers := slices.DeleteFunc(slices.Clone(kernels), func(k model.KernelTime) bool { return k.Layer < 0 })
	if !slices.IsSortedFunc(inLayers, func(a, b model.KernelTime) int { return cmp.Compare(a.Layer, b.Layer) }) {
		t.Error("the layers are not in order")
	}
	if again := timer.TimeKernels()(); len(again) != 0 {
		t.Errorf("of a timing in which nothing ran: %+v", again)
	}
}
