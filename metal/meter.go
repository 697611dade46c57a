package metal

import (
	"sync"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// meter adds up what the kernels cost, in passes that run each dispatch separately.
type meter struct {
	mu    sync.Mutex
	sums  []model.KernelTime // in the order in which they first ran
	index map[model.KernelTime]int
	rest  model.KernelTime
}

// add counts a pass: the time of each of its dispatches, and of all together.
func (m *meter) add(p *plan, each []time.Duration, all time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range p.steps {
		s := &p.steps[i]
		name := model.KernelTime{Layer: s.layer, Block: s.block, Kernel: s.what, Shape: s.kernel.shape}
		at, known := m.index[name]
		if !known {
			at = len(m.sums)
			m.index[name] = at
			m.sums = append(m.sums, name)
		}
		k := &m.sums[at]
		k.Calls++
		k.Time += each[i]
		k.FLOPs += s.flops
		k.Bytes += s.bytes
		all -= each[i]
	}
	m.rest.Calls++
	m.rest.Time += all
}

// TimeKernels starts to time the kernels of every pass that begins from now on. Each
// dispatch then runs separately, which slows passes down. stop ends it and returns the
// times. Both wait until no pass is under way.
func (d *Device) TimeKernels() (stop func() []model.KernelTime) {
	m := &meter{index: map[model.KernelTime]int{}, rest: model.KernelTime{Layer: outside, Kernel: "between kernels"}}
	d.setMeter(m)
	return func() []model.KernelTime {
		d.setMeter(nil)
		if m.rest.Calls == 0 {
			return nil
		}
		return append(m.sums, m.rest)
	}
}

// setMeter changes the meter while no pass is under way.
func (d *Device) setMeter(m *meter) {
	d.timing.Lock() // two callers that each hold some slots would wait for each other
	defer d.timing.Unlock()
	var idle [slotCount]*slot
	for i := range idle {
		idle[i] = <-d.slots
	}
	d.meter = m
	for _, s := range idle {
		d.slots <- s
	}
}
