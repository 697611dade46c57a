package cpu

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// worker is a core's worth of memory.
type worker struct {
	pass  pass   // the pass that this worker leads
	help  func() // does parts of other workers' passes
	meter *meter // nil: nobody asked

	in      kernels.Input
	found   kernels.Input // rows of what the heads found, where that is an input already
	inner   kernels.Input // chunk×intermediate: what up makes for down
	cls     []int         // rows of the input that are [CLS] rows
	scratch []float32     // what a product's kernel wants
	scores  []float32     // what attention wants for the longest sequence
	flops   int64         // since others could last have the processor
}

// crew are the workers that lead passes of one kind.
type crew struct {
	workers []*worker
	free    chan *worker // those with nothing to do
	begun   atomic.Int64 // passes under way
}

// fill makes c a crew of n. Their memory grows with what they do.
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

// begin counts a pass more, unless there are as many as workers.
func (c *crew) begin() error {
	if c.begun.Add(1) > int64(len(c.workers)) {
		c.begun.Add(-1)
		return model.ErrBusy
	}
	return nil
}

// end gives back the worker of a pass that has ended.
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

// ran says that calls of a kernel began at begun and have just ended.
//
// Kernels are assembly, which Go cannot interrupt, and passes may have all processors:
// unless they hand them on, timers, callers that were cancelled and tokenizers wait
// until Go's own monitor steps in, after 10 ms. When that is due is told by the work
// done, since to ask for the time would cost more than many a kernel.
func (w *worker) ran(begun time.Duration, layer int, k kernel, calls int, c cost) {
	w.meter.add(begun, layer, k, calls, c)
	const stretch = 1 << 25 // 0.3 ms in float32
	if w.flops += c.flops; w.flops >= stretch {
		w.flops = 0
		runtime.Gosched()
	}
}
