package cpu

import (
	"runtime/debug"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// worker is a core's worth of memory.
type worker struct {
	pass  pass   // the pass that this worker leads
	part  part   // what it does of another's
	help  func() // does that, on a goroutine of its own
	meter *meter // nil: nobody asked

	in      kernels.Input
	cls     []int     // rows of the input that are [CLS] rows
	up      []float32 // chunk×intermediate
	scratch []float32 // what a product's kernel wants
	scores  []float32 // what attention wants for the longest sequence
}

// part is some rows of a step of a pass.
type part struct {
	p      *pass
	step   step
	lo, hi int
}

// step does rows lo to hi of something, with w's memory.
type step func(p *pass, w *worker, lo, hi int)

// fewestRows is how few rows are worth another worker, which takes a few
// microseconds to hear of them.
const fewestRows = 16

func newWorker(d *Device) *worker {
	w := new(worker)
	w.pass = pass{d: d, w: w, ended: make(chan any, cap(d.free))}
	w.help = func() { // made once, so that starting it allocates nothing
		debug.SetPanicOnFault(true) // as model.Weights.Guard does for who leads the pass
		begun := w.meter.now()
		reason := w.do(w.part)
		w.meter.leave(begun)
		w.part.p.ended <- reason
	}
	return w
}

// do returns what the part panicked with.
func (w *worker) do(part part) (reason any) {
	defer func() { reason = recover() }()
	part.step(part.p, w, part.lo, part.hi)
	return nil
}

// share does a step for all of n rows, with the workers that are free.
func (p *pass) share(n int, step step) {
	helpers := p.helpers[:0]
	for (len(helpers)+2)*fewestRows <= n && len(p.d.free) > 0 {
		select {
		case w := <-p.d.free:
			helpers = append(helpers, w)
		default: // another pass was quicker
		}
	}
	p.helpers = helpers
	// Parts are whole tiles, so that little is lost at their edges.
	const tile = 8
	end := func(i int) int {
		if i == len(helpers)+1 {
			return n
		}
		return n * i / (len(helpers) + 1) / tile * tile
	}
	for i, w := range helpers {
		w.part = part{p, step, end(i + 1), end(i + 2)}
		go w.help() // with the leader's labels, for Go's CPU profile
	}
	reason := any(nil)
	if len(helpers) == 0 {
		step(p, p.w, 0, n)
	} else {
		// Nobody may be left at work on this pass when a panic ends it.
		reason = p.w.do(part{p, step, 0, end(1)})
	}
	begun := p.w.meter.now()
	for range helpers {
		if r := <-p.ended; reason == nil {
			reason = r
		}
	}
	if len(helpers) > 0 {
		p.w.meter.add(begun, outside, wait, 1, cost{})
	}
	for _, w := range helpers {
		p.d.free <- w
	}
	if reason != nil {
		panic(reason)
	}
}
