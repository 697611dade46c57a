package cpu

import (
	"runtime"

	"github.com/minilm-metal/minilm-metal/model"
)

// How a pass gives way to an urgent one
//
// The worker that leads a pass pauses before each taking of rows (share.go). At this point
// its memory holds nothing that is still needed, so it can run or help another pass and
// then go on. A taking is at most a chunk of rows: on two cores of Zen 4 there is a pause
// every 2 ms in float32 and every 0.6 ms in int8. An urgent pass has memory of its own.
//
// Measured on a machine shared with others, so only the ratios are reliable (the best of
// interleaved runs): an urgent pass of one pair took 10.9 ms in float32 and 4.5 in int8
// beside passes of 1024 tokens on both cores, and 9.2 to 10.3 and 4.3 to 5.0 ms alone. It
// waited 0.02 ms for a pause at the median, since the other worker's may come first, and
// 1.1 ms at the 99th percentile. Before workers yielded the processor after every few
// kernels (worker.ran), these were 0.5 and 2.1 ms, because the caller itself did not get a
// processor. Yielding costs nothing measurable, and it makes a single pair faster: 18.1 ms
// of both cores' time instead of 19.8 in float32, 6.0 instead of 7.4 in int8.

// BeginUrgent starts an urgent pass over b: passes with an OnPause pause for it, and their
// workers help it. It waits for nothing but TimeKernels.
func (d *Device) BeginUrgent(b *model.Batch) (model.Pass, error) {
	if err := d.urgent.begin(); err != nil {
		return nil, err
	}
	return (<-d.urgent.free).start(b), nil
}

// urgent reports whether other passes pause for p.
func (p *pass) urgent() bool { return p.crew == &p.d.urgent }

// OnPause sets a function to be called at each pause: before each block, and before each
// chunk of its rows. Urgent passes do not pause.
func (p *pass) OnPause(f func()) {
	if !p.urgent() {
		p.onPause = f
	}
}

// pause calls f, and then waits and helps while there are urgent passes.
//
// f comes first, so that an urgent pass that it starts runs beside those under way: two
// passes side by side get more done than two that share all workers one after the other. f
// is called again after each piece of help.
func (p *pass) pause() {
	if p.onPause == nil {
		return
	}
	begun := p.w.meter.now()
	for p.onPause(); p.d.urgent.begun.Load() > 0; p.onPause() {
		p.w.helpUrgent()
	}
	p.begun += p.w.meter.now() - begun // so that the pause does not count as time of the pass
}

// pauseWithin is pause in the form of a step.
func (p *pass) pauseWithin(*worker, int, int) { p.pause() }

// helpUrgent computes one taking of an urgent pass, or waits until there are no urgent
// passes.
func (w *worker) helpUrgent() {
	d := w.pass.d
	d.standing.Add(1)
	defer d.standing.Add(-1)
	for d.urgent.begun.Load() > 0 && !w.helpOnce(&d.urgent) {
		runtime.Gosched()
	}
}

var (
	_ model.Interrupter = (*Device)(nil)
	_ model.Pauser      = (*pass)(nil)
)
