package cpu

import (
	"errors"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/memorytest"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

func openSmall(t *testing.T, workers int) (*Device, *model.Config) {
	t.Helper()
	fsys, err := synth.FS(1, synth.Shape{Layers: 2, Hidden: 32, Heads: 2, Intermediate: 64, Vocab: 600, Positions: 128, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	w, err := model.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(w, workers, kernels.Variant{ISA: kernels.Best(), Format: kernels.F32})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, &w.Config
}

func sequences(lengths ...int) *model.Batch {
	b := new(model.Batch)
	for _, n := range lengths {
		b.Append(make([]int32, n), make([]int32, n))
	}
	return b
}

func times(t *testing.T, d *Device, c *model.Config, b *model.Batch) []model.KernelTime {
	t.Helper()
	stop := d.TimeKernels()
	if err := model.Encode(d, c, b, model.Firsts, make([]float32, b.Len()*c.HiddenSize)); err != nil {
		t.Fatal(err)
	}
	return stop()
}

// The whole list for one pass of 40 tokens, worked out by hand.
func TestKernelTimes(t *testing.T) {
	d, c := openSmall(t, 1)
	got := times(t, d, c, sequences(10, 30))
	spent := time.Duration(0)
	for i := range got {
		if got[i].Time < 0 { // 0 is what a coarse clock may see of a short kernel
			t.Errorf("%+v", got[i])
		}
		spent += got[i].Time
		got[i].Time = 0
	}
	if spent == 0 {
		t.Error("no time at all")
	}
	product := func(layer int, block, name, shape string, calls, rows, in, out int64) model.KernelTime {
		return model.KernelTime{Layer: layer, Block: block, Kernel: name, Shape: shape, Calls: calls,
			FLOPs: 2 * rows * in * out, Bytes: 4 * (rows*in + calls*in*out + calls*out + rows*out)}
	}
	norm := func(layer int, block string, rows int64) model.KernelTime {
		return model.KernelTime{Layer: layer, Block: block, Kernel: "add+norm", Shape: "32", Calls: 1, Bytes: 3 * 4 * rows * 32}
	}
	attention := func(layer int, queries [2]int64) model.KernelTime {
		k := model.KernelTime{Layer: layer, Block: "attention", Kernel: "attention", Shape: "2x16", Calls: 2}
		for i, keys := range []int64{10, 30} {
			k.FLOPs += 2 * 2 * queries[i] * keys * 32
			k.Bytes += 4 * 32 * 2 * (queries[i] + keys)
		}
		return k
	}
	want := []model.KernelTime{
		{Layer: -1, Block: "embed", Kernel: "embed+norm", Shape: "32", Calls: 1, Bytes: 4 * 4 * 40 * 32},
		product(0, "attention", "gemm q", "32x32", 1, 40, 32, 32),
		product(0, "attention", "gemm kv", "32x64", 1, 40, 32, 64),
		attention(0, [2]int64{10, 30}),
		product(0, "attention", "gemm output", "32x32", 1, 40, 32, 32),
		norm(0, "attention", 40),
		product(0, "feed-forward", "gemm+gelu up", "32x64", 1, 40, 32, 64),
		product(0, "feed-forward", "gemm down", "64x32", 1, 40, 64, 32),
		norm(0, "feed-forward", 40),
		product(1, "attention", "gemm q", "32x32", 1, 2, 32, 32), // the last layer has two rows, and K and V of all
		product(1, "attention", "gemm kv", "32x64", 1, 40, 32, 64),
		attention(1, [2]int64{1, 1}),
		product(1, "attention", "gemm output", "32x32", 1, 2, 32, 32),
		norm(1, "attention", 2),
		product(1, "feed-forward", "gemm+gelu up", "32x64", 1, 2, 32, 64),
		product(1, "feed-forward", "gemm down", "64x32", 1, 2, 64, 32),
		norm(1, "feed-forward", 2),
		{Layer: -1, Block: "pool", Kernel: "pool", Shape: "32", Calls: 1, Bytes: 4 * 2 * 2 * 32},
		{Layer: -1, Kernel: "between kernels", Calls: 1},
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("from the %dth on\n%+v\nwant\n%+v", i, got[min(i, len(got)):], want[min(i, len(want)):])
		}
	}
}

// The rows that helpers do are counted as theirs, and so is the wait for them.
func TestKernelTimesOfHelpers(t *testing.T) {
	d, c := openSmall(t, 3)
	got := times(t, d, c, sequences(100))
	find := func(name string) model.KernelTime {
		i := slices.IndexFunc(got, func(k model.KernelTime) bool { return k.Kernel == name })
		if i < 0 {
			t.Fatalf("no %q in %+v", name, got)
		}
		return got[i]
	}
	if k := find("gemm kv"); k.Calls < 1 || k.FLOPs != 2*100*32*64 {
		t.Errorf("%+v, want calls for 100 rows", k)
	}
	for _, k := range got {
		if k.Kernel == "wait for helpers" && (k.Calls < 1 || k.Block != "" || k.Time < 0) {
			t.Errorf("%+v", k)
		}
	}
	if k := find("between kernels"); k.Calls < 1 || k.Time < 0 {
		t.Errorf("%+v, want the pass and what helpers did", k)
	}
}

// Two timings that begin or end at once wait for each other, not for ever.
func TestTimeKernelsAtOnce(t *testing.T) {
	d, c := openSmall(t, 2)
	done, places := make(chan error), modeltest.NewPlaces(d)
	for range 4 {
		go func() {
			b := sequences(20, 3)
			var err error
			for range 50 {
				d.eachMeter(func(**meter) {})
				out := places.In()
				err = errors.Join(err, model.Encode(d, c, b, model.Firsts, make([]float32, 2*c.HiddenSize)))
				out()
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestForwardAllocatesNothing(t *testing.T) {
	if memorytest.RaceDetector {
		t.Skip("memory is counted without the race detector")
	}
	for _, workers := range []int{1, 3} { // alone, and with helpers
		d, c := openSmall(t, workers)
		b, rows := sequences(10, 90), make([]float32, 2*c.HiddenSize)
		run := func() {
			if err := model.Encode(d, c, b, model.Firsts, rows); err != nil {
				t.Fatal(err)
			}
		}
		run() // which makes the memory that others reuse
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%d workers: %v allocations", workers, n)
		}
		stop := d.TimeKernels()
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%d workers, timed: %v allocations", workers, n)
		}
		stop()
		forward := func(p model.Pass, err error, pause func()) {
			if err != nil {
				t.Fatal(err)
			}
			defer p.End()
			p.(model.Pauser).OnPause(pause)
			if err := model.Forward(p, c.Layers, model.Firsts, rows); err != nil {
				t.Fatal(err)
			}
		}
		urgent := func() {
			p, err := d.BeginUrgent(b)
			forward(p, err, nil)
		}
		paused := func() {
			p, err := d.Begin(b)
			forward(p, err, urgent)
		}
		paused()
		if n := testing.AllocsPerRun(20, paused); n != 0 {
			t.Errorf("%d workers, with urgent passes in pauses: %v allocations", workers, n)
		}
	}
}

// In Go's CPU profile, helpers are where their leader is.
func TestHelpersHaveTheLeadersLabels(t *testing.T) {
	d, _ := openSmall(t, 3)
	p := modeltest.Begin(t, d, sequences(100)).(*pass)
	defer p.End()
	defer pprof.SetGoroutineLabels(t.Context())
	pprof.SetGoroutineLabels(pprof.WithLabels(t.Context(), pprof.Labels("request", "7")))
	var mu sync.Mutex
	var seen []string
	p.share(100, func(*pass, *worker, int, int) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, labels())
	})
	for _, l := range seen {
		if l != `{"request":"7"}` {
			t.Errorf("labels %q", seen)
		}
	}
}

// labels returns the labels of the goroutine that runs this function.
func labels() string {
	var b strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return err.Error()
	}
	for stack := range strings.SplitSeq(b.String(), "\n\n") {
		if _, text, found := strings.Cut(stack, "# labels: "); found && strings.Contains(stack, "cpu.labels+") {
			line, _, _ := strings.Cut(text, "\n")
			return line
		}
	}
	return ""
}
