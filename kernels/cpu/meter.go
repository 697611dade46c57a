package cpu

import (
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// kernel names one of the kernels that a pass runs, or something that it does between them.
type kernel int

const (
	embedNorm   kernel = iota
	gemmProject        // of embeddings that are not as wide as the hidden state

	toAttention // converts rows to a product's input: x, and the context that attention wrote
	gemmQ
	gemmKV
	toHeads // rounds Q, K and V, if attention reads bfloat16
	attention
	gemmOutput
	attentionNorm

	toUp
	gemmUp // with GELU
	toDown
	gemmDown
	outputNorm

	pool

	wait // waiting for helpers
	between

	kernelCount
)

// outside is the layer number of kernels that belong to no layer.
const outside = -1

// tally is the sum of what one kernel has cost in one layer.
type tally struct {
	calls int64
	time  time.Duration
	cost
}

// meter adds up what the kernels cost one worker. Only that worker may use it. A nil meter
// measures nothing.
type meter struct {
	origin  time.Time
	tallies []tally       // for each layer, kernels outside first, a tally a kernel
	inside  time.Duration // time in passes or parts of them, kernels included
	passes  int64
}

func newMeter(layers int) *meter {
	return &meter{origin: time.Now(), tallies: make([]tally, (layers+1)*int(kernelCount))}
}

// now returns the meter's time, to be given to add later.
func (m *meter) now() time.Duration {
	if m == nil {
		return 0
	}
	return time.Since(m.origin)
}

func (m *meter) at(layer int, k kernel) *tally {
	return &m.tallies[(layer+1)*int(kernelCount)+int(k)]
}

// add counts calls of a kernel that together began at begun and have just ended.
func (m *meter) add(begun time.Duration, layer int, k kernel, calls int, c cost) {
	if m == nil {
		return
	}
	t := m.at(layer, k)
	t.time += m.now() - begun
	t.calls += int64(calls)
	t.cost.add(c)
}

// leave adds the time since begun, in which the worker was at a pass.
func (m *meter) leave(begun time.Duration) {
	if m == nil {
		return
	}
	m.inside += m.now() - begun
	m.passes++
}

// merge adds another worker's tallies to m's.
func (m *meter) merge(o *meter) {
	for i := range m.tallies {
		t, u := &m.tallies[i], &o.tallies[i]
		t.calls += u.calls
		t.time += u.time
		t.cost.add(u.cost)
	}
	m.inside += o.inside
	m.passes += o.passes
}

// times lists the kernels that ran, in the order of the forward pass, and last the time in
// passes that belongs to no kernel.
func (m *meter) times(c *model.Config, f kernels.Format) (list []model.KernelTime) {
	rest := m.inside
	row := func(layer int, k kernel) {
		t := m.at(layer, k)
		if t.calls == 0 {
			return
		}
		block, name, shape := k.describe(c, f)
		list = append(list, model.KernelTime{Layer: layer, Block: block, Kernel: name, Shape: shape,
			Calls: t.calls, Time: t.time, FLOPs: t.flops, Bytes: t.bytes})
		rest -= t.time
	}
	row(outside, embedNorm)
	row(outside, gemmProject)
	for layer := range c.Layers {
		for k := toAttention; k <= outputNorm; k++ {
			row(layer, k)
		}
	}
	row(outside, pool)
	row(outside, wait)
	*m.at(outside, between) = tally{calls: m.passes, time: rest}
	row(outside, between)
	return list
}

// describe returns the block that a kernel belongs to, its name and its shape.
func (k kernel) describe(c *model.Config, f kernels.Format) (block, name, shape string) {
	h, inner := c.HiddenSize, c.IntermediateSize
	matrix := func(in, out int) string { return fmt.Sprintf("%dx%d", in, out) }
	row := fmt.Sprint
	switch k {
	case embedNorm:
		return "embed", "embed+norm", row(h)
	case gemmProject:
		return "embed", "gemm project", matrix(c.EmbeddingSize, h)
	case toAttention:
		return "attention", fmt.Sprintf("to %v", f), row(h)
	case gemmQ:
		return "attention", "gemm q", matrix(h, h)
	case gemmKV:
		return "attention", "gemm kv", matrix(h, 2*h)
	case toHeads:
		return "attention", "qkv to bf16", row(3 * h)
	case attention:
		return "attention", "attention", matrix(c.Heads, c.HeadSize())
	case gemmOutput:
		return "attention", "gemm output", matrix(h, h)
	case attentionNorm:
		return "attention", "add+norm", row(h)
	case toUp:
		return "feed-forward", fmt.Sprintf("to %v", f), row(h)
	case gemmUp:
		return "feed-forward", "gemm+gelu up", matrix(h, inner)
	case toDown:
		return "feed-forward", fmt.Sprintf("to %v", f), row(inner)
	case gemmDown:
		return "feed-forward", "gemm down", matrix(inner, h)
	case outputNorm:
		return "feed-forward", "add+norm", row(h)
	case pool:
		return "pool", "pool", row(h)
	case wait:
		return "", "wait for helpers", ""
	default:
		return "", "between kernels", ""
	}
}

// TimeKernels starts to time the kernels of every pass that begins from now on; stop ends
// it and returns the sums. Both wait until no pass is under way.
func (d *Device) TimeKernels() (stop func() []model.KernelTime) {
	d.eachMeter(func(m **meter) { *m = newMeter(len(d.layers)) })
	return func() []model.KernelTime {
		sum := newMeter(len(d.layers))
		d.eachMeter(func(m **meter) {
			if *m != nil { // nil if another timing has already ended and returned the sums
				sum.merge(*m)
				*m = nil
			}
		})
		return sum.times(&d.config, d.variant.Format)
	}
}

// eachMeter calls do for each worker's meter while no worker is busy.
func (d *Device) eachMeter(do func(m **meter)) {
	d.meters.Lock() // two callers that each hold some workers would wait for each other
	defer d.meters.Unlock()
	// Take the ordinary workers first. A normal pass may be pausing for an urgent one that
	// is about to begin: whoever holds the urgent worker must not wait for that pass.
	for range d.Passes() {
		d.take()
	}
	for range d.Passes() {
		<-d.urgent.free
	}
	for _, c := range []*crew{&d.ordinary, &d.urgent} {
		for _, w := range c.workers {
			do(&w.meter)
			c.free <- w
		}
	}
}
