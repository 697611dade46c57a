package cpu

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// worker is the memory that one core works in.
type worker struct {
	pass  pass   // the pass that this worker leads
	help  func() // helps other workers' passes
	meter *meter // nil: kernels are not being timed

	in           kernels.Input
	contextInput kernels.Input // rows of the context, if attention writes the next product's input directly
	embedded     kernels.Input // chunk×embedding size, where embeddings are projected
	inner        kernels.Input // chunk×intermediate: the output of up, which is down's input
	cls          []int         // indices of [CLS] rows in the input
	scratch      []float32     // results of a product, before they are added to x
	scores       []float32     // attention's scratch memory, for the longest sequence
	flops        int64         // work done since it last yielded the processor
}

// crew is a set of workers that lead passes of one kind, ordinary or urgent.
type crew struct {
	workers []*worker
	free    chan *worker // the workers that have nothing to do
	begun   atomic.Int64 // number of passes under way
}

// fill gives c its n workers. Their memory grows as they need it.
func (c *crew) fill(d *Device, n int) {
	c.free = make(chan *worker, n)
	for range n {
		w := new(worker)
		w.pass = pass{d: d, w: w, crew: c}
		w.pass.job.ended = make(chan struct{}, 1)
		w.help = w.helpOthers // made once, so that starting it allocates nothing
		c.workers = append(c.workers, w)
		c.free <- w
	}
}

// begin counts a new pass. It returns an error if there are as many as workers.
func (c *crew) begin() error {
	if c.begun.Add(1) > int64(len(c.workers)) {
		c.begun.Add(-1)
		return model.ErrBusy
	}
	return nil
}

// end takes back the worker of a pass that has ended.
func (c *crew) end(w *worker) {
	c.free <- w
	c.begun.Add(-1)
}

// start makes w the leader of a pass over b.
func (w *worker) start(b *model.Batch) *pass {
	p := &w.pass
	p.b, p.rows, p.keep, p.begun = b, b.Tokens(), model.AllRows, w.meter.now()
	return p
}

// ran counts calls of a kernel that began at begun and have just ended, and now and then
// yields the processor.
//
// Kernels are assembly, which Go cannot interrupt, and passes may occupy all processors.
// Without yielding, timers, cancelled callers and tokenizers would wait until Go's own
// monitor steps in, after 10 ms. When to yield is decided by the work done, because reading
// the clock would take longer than many kernels.
func (w *worker) ran(begun time.Duration, layer int, k kernel, calls int, c cost) {
	w.meter.add(begun, layer, k, calls, c)
	const stretch = 1 << 25 // 0.3 ms in float32
	if w.flops += c.flops; w.flops >= stretch {
		w.flops = 0
		runtime.Gosched()
	}
}
