package metal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// mock is a GPU that computes nothing: it keeps the books, and fails where it is told
// to.
type mock struct {
	mu        sync.Mutex
	allocated uint64
	room      uint64 // bytes; more is out of memory
	live      int    // buffers and pipelines
	runs      int
	lengths   []int // dispatches of each run
	closed    bool
	fail      func(work []gpu.Dispatch) error
	wrong     int                        // times that the counters are wrong
	refuse    func(f gpu.Function) error // of pipelines; nil: none
	memory    int                        // of a threadgroup; 0: not known
}

type mockBuffer struct {
	m *mock
	b []byte
}

func (b *mockBuffer) Bytes() []byte { return b.b }
func (b *mockBuffer) Release() {
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	b.m.allocated -= uint64(len(b.b))
	b.m.live--
	b.b = nil
}

type mockPipeline struct{ m *mock }

func (p *mockPipeline) Limits() gpu.Limits { return gpu.Limits{} }
func (p *mockPipeline) Release() {
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	p.m.live--
}

func (m *mock) Info() gpu.Info {
	return gpu.Info{Name: "mock", System: "none", Family: 7, ThreadgroupMemory: m.memory}
}
func (m *mock) NewBuffer(label string, bytes int) (gpu.Buffer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.room > 0 && m.allocated+uint64(bytes) > m.room {
		return nil, fmt.Errorf("%w: %s: %d bytes", gpu.ErrOutOfMemory, label, bytes)
	}
	m.allocated += uint64(bytes)
	m.live++
	return &mockBuffer{m, make([]byte, bytes)}, nil
}
func (m *mock) NewPipeline(f gpu.Function) (gpu.Pipeline, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		if err := m.refuse(f); err != nil {
			return nil, err
		}
	}
	m.live++
	return &mockPipeline{m}, nil
}
func (m *mock) Run(work []gpu.Dispatch) (gpu.Times, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runs++
	m.lengths = append(m.lengths, len(work))
	for _, w := range work {
		for i, b := range w.Bindings {
			if b.Buffer == nil || b.Buffer.(*mockBuffer).b == nil || b.Offset >= len(b.Buffer.Bytes()) {
				return gpu.Times{}, fmt.Errorf("%s: binding %d: %+v", w.Name, i, b)
			}
		}
	}
	if m.fail != nil {
		if err := m.fail(work); err != nil {
			return gpu.Times{}, err
		}
	}
	return gpu.Times{Wait: time.Microsecond, Busy: time.Millisecond}, nil
}
func (m *mock) RunApart(work []gpu.Dispatch, each []time.Duration) (gpu.Times, error) {
	for i := range each {
		each[i] = time.Microsecond
		if m.wrong > 0 {
			each[i] = 0
		}
	}
	m.wrong--
	return m.Run(work)
}
func (m *mock) Allocated() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.allocated
}
func (m *mock) Close() error {
	m.closed = true
	return nil
}

func openMock(t *testing.T, m *mock) (*Device, *model.Weights) {
	t.Helper()
	w, err := smallWeights(3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	d, err := open(w, m, Uniform(Tiles[0]))
	if err != nil {
		t.Fatal(err)
	}
	return d, w
}

// Whatever batches there were, memory is that of the largest, and Close gives all of
// it back.
func TestMemoryIsBounded(t *testing.T) {
	m := new(mock)
	d, w := openMock(t, m)
	r := rand.New(rand.NewPCG(1, 1))
	score := func(b *model.Batch) {
		t.Helper()
		if err := modeltest.Score(d, w, b, make([]float32, b.Len())); err != nil {
			t.Fatal(err)
		}
	}
	full := modeltest.Batch(r, 600, slices.Repeat([]int{37}, mostTokens/37)...)
	for range 2 * slotCount { // both slots have had it
		score(full)
	}
	before := m.Allocated()
	for range 500 {
		left, lengths := mostTokens, []int(nil)
		for left > 0 && len(lengths) < full.Len() {
			n := 1 + r.IntN(min(left, 512))
			lengths = append(lengths, n)
			left -= n
			if r.IntN(4) == 0 {
				break
			}
		}
		score(modeltest.Batch(r, 600, lengths...))
	}
	if after := m.Allocated(); after != before {
		t.Errorf("%d bytes after many shapes, %d before", after, before)
	}
	// A larger one grows it, once.
	larger := modeltest.Batch(r, 600, slices.Repeat([]int{512}, 12)...)
	for range 2 * slotCount {
		score(larger)
	}
	grown := m.Allocated()
	for range 2 * slotCount {
		score(full)
		score(larger)
	}
	if again := m.Allocated(); grown <= before || again != grown {
		t.Errorf("%d bytes, %d with a larger batch, %d when it comes again", before, grown, again)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if m.Allocated() != 0 || m.live != 0 || !m.closed {
		t.Errorf("after Close: %d bytes, %d objects, closed %v", m.Allocated(), m.live, m.closed)
	}
}

// A batch that does not fit is an error, and the next that does is not.
func TestOutOfMemory(t *testing.T) {
	m := new(mock)
	d, w := openMock(t, m)
	defer d.Close()
	m.room = m.Allocated() + 1<<20
	large := modeltest.Batch(rand.New(rand.NewPCG(1, 1)), 600, slices.Repeat([]int{512}, 40)...)
	err := modeltest.Score(d, w, large, make([]float32, 40))
	if !errors.Is(err, ErrOutOfMemory) || !strings.Contains(err.Error(), "20480 tokens") {
		t.Errorf("error %v", err)
	}
	if err := modeltest.Score(d, w, batchOf(5, 9), make([]float32, 2)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	// So is a device that does not fit.
	small := &mock{room: 1 << 20}
	if _, err := open(w, small, Uniform(Tiles[0])); !errors.Is(err, ErrOutOfMemory) {
		t.Errorf("error %v", err)
	}
	if small.live != 0 || !small.closed {
		t.Errorf("%d objects left, closed %v", small.live, small.closed)
	}
}

// Of a kernel that is at fault the error says which, and in which batch.
func TestFaultNamesTheKernel(t *testing.T) {
	m := new(mock)
	d, w := openMock(t, m)
	defer d.Close()
	var culprit gpu.Pipeline
	m.fail = func(work []gpu.Dispatch) error {
		for _, one := range work {
			if one.Pipeline == culprit {
				return fmt.Errorf("%w: page fault", gpu.ErrFault)
			}
		}
		return nil
	}
	culprit = d.kernels.attentionCls.pipeline
	err := modeltest.Score(d, w, batchOf(5, 9), make([]float32, 2))
	if !errors.Is(err, ErrFault) {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{"layer 1 attention cls", "attention_cls_32", "2 sequences and 14 tokens", "page fault"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	// One that does not come again is told as well.
	once := true
	m.fail = func(work []gpu.Dispatch) error {
		if !once {
			return nil
		}
		once = false
		return fmt.Errorf("%w: timeout", gpu.ErrFault)
	}
	if err := modeltest.Score(d, w, batchOf(5), make([]float32, 1)); !errors.Is(err, ErrFault) || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("error %v", err)
	}
	if err := modeltest.Score(d, w, batchOf(5), make([]float32, 1)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A GPU that is gone is not asked again.
func TestLostDevice(t *testing.T) {
	m := new(mock)
	d, w := openMock(t, m)
	m.fail = func([]gpu.Dispatch) error { return fmt.Errorf("%w: removed", gpu.ErrLost) }
	for range 3 {
		if err := modeltest.Score(d, w, batchOf(5), make([]float32, 1)); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "removed") {
			t.Errorf("error %v", err)
		}
	}
	if m.runs != 2 { // the probe, and the first pass
		t.Errorf("%d command buffers", m.runs)
	}
	if err := d.Close(); err != nil || m.live != 0 {
		t.Errorf("%v, %d objects left", err, m.live)
	}
}

// Passes are counted by the GPU's clock, and timed apart only while somebody asks.
func TestBusyAndKernelTimes(t *testing.T) {
	m := &mock{wrong: 1}
	d, w := openMock(t, m)
	defer d.Close()
	b := batchOf(5, 9)
	p := modeltest.Begin(t, d, b)
	err := model.Forward(p, w.Config.Layers, model.Firsts, make([]float32, 2*w.Config.HiddenSize))
	took := p.(model.TimedPass).PassTime()
	p.End()
	if err != nil || took.Busy != time.Millisecond || took.Wait != time.Microsecond {
		t.Errorf("%+v, %v", took, err)
	}
	if busy, known := d.GPUBusy(); busy != time.Millisecond || !known {
		t.Errorf("busy for %v, known %v", busy, known)
	}
	stop := d.TimeKernels()
	if err := modeltest.Score(d, w, b, make([]float32, 2)); err != nil {
		t.Fatal(err)
	}
	if m.runs != 4 { // the probe, the pass, and this one, whose counters were wrong at first
		t.Errorf("%d command buffers, want 4", m.runs)
	}
	kernels := stop()
	sum, flops := time.Duration(0), int64(0)
	for _, k := range kernels {
		sum += k.Time
		flops += k.FLOPs
	}
	want := w.Config.FLOPs(5, model.ClsRows) + w.Config.FLOPs(9, model.ClsRows)
	if len(kernels) != 17 || sum != time.Millisecond || flops != want { // 16 dispatches and what is between
		t.Errorf("%d kernels, %v, %d FLOPs, want 17, 1ms, %d", len(kernels), sum, flops, want)
	}
}

// A weight that half cannot hold is refused, by name.
func TestWeightsBeyondHalf(t *testing.T) {
	w := tinyWeights(t, 2, 64)
	values := slices.Clone(model.Float32s(w.Layers[1].Down.W)) // whose products are float
	values[7] = 7e4
	w.Layers[1].Down.W = tensor.New(tensor.WithShape(64, 64), tensor.WithBacking(values))
	m := new(mock)
	_, err := open(w, m, Uniform(Tiles[0]))
	if !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), "layer 1") || !strings.Contains(err.Error(), "70000") {
		t.Errorf("error %v", err)
	}
	if m.live != 0 {
		t.Errorf("%d objects left", m.live)
	}
	values[7] = 65504
	if d, err := open(w, m, Uniform(Tiles[0])); err != nil {
		t.Errorf("65504: %v", err)
	} else if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// Embeddings of another width than the hidden state are refused, and the GPU is let go.
func TestProjectionRefused(t *testing.T) {
	w := tinyWeights(t, 1, 64)
	w.Projection = &model.Linear{W: w.Layers[0].Query.W, B: w.Layers[0].Query.B}
	m := new(mock)
	if _, err := open(w, m, Uniform(Tiles[0])); !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), "not as wide as its hidden state") {
		t.Errorf("error %v", err)
	}
	if m.live != 0 || !m.closed {
		t.Errorf("%d objects left, closed %v", m.live, m.closed)
	}
}

// Passes from many goroutines on a device that keeps the books.
func TestConcurrentPasses(t *testing.T) {
	m := new(mock)
	d, w := openMock(t, m)
	places := modeltest.NewPlaces(d)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range 40 {
				b := modeltest.Batch(r, 600, 1+r.IntN(500), 1+r.IntN(500), 1+r.IntN(512))
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
	if err := d.Close(); err != nil || m.live != 0 {
		t.Errorf("%v, %d objects left", err, m.live)
	}
	if m.runs != 1+8*40 { // the probe and the passes
		t.Errorf("%d command buffers", m.runs)
	}
}
