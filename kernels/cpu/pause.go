package cpu

import (
	"runtime"

	"github.com/minilm-metal/minilm-metal/model"
)

// How a pass gives way
//
// A pass's leader pauses before each taking of rows (share.go), where nothing lives in
// its worker's memory: there it can run or help another pass, and go on. A taking has at
// most a chunk of rows, so that a pause comes every 2 ms in float32 and every 0.6 in
// int8, on two cores of Zen 4. An urgent pass has memory of its own.
//
// The urgent pass of one pair took 10.9 ms in float32 and 4.5 in int8 beside passes of
// 1024 tokens on both cores, 9.2 to 10.3 and 4.3 to 5.0 alone; the wait for a pause was
// 0.02 ms at the median (the other worker's comes first) and 1.1 at p99. It was 0.5 and
// 2.1 ms before workers yielded after every few kernels (worker.ran): the caller itself
// did not get a processor. (A machine shared with others: the best of interleaved runs,
// and good as ratios only.) That yielding costs nothing that could be measured, and a
// pair alone is the faster for it: 18.1 ms of both cores' time instead of 19.8 in
// float32, 6.0 instead of 7.4 in int8.

// BeginUrgent starts a pass over b for which passes with an OnPause stand still, and
// which their workers help. It waits for nothing but TimeKernels.
func (d *Device) BeginUrgent(b *model.Batch) (model.Pass, error) {
	if err := d.urgent.begin(); err != nil {
		return nil, err
	}
	return (<-d.urgent.free).start(b), nil
}

// urgent says whether others stand still for p.
func (p *pass) urgent() bool { return p.crew == &p.d.urgent }

// OnPause has f called at each pause: before each block, and before each chunk of its
// rows. Urgent passes do not pause.
func (p *pass) OnPause(f func()) {
	if !p.urgent() {
		p.onPause = f
	}
}

// pause calls f, and stands still while there are urgent passes.
//
// f comes first, so that what it has to begin does not wait for what others have begun:
// two passes side by side get more done than two that are shared, one after the other.
// It is asked again after each piece of help.
func (p *pass) pause() {
	if p.onPause == nil {
		return
	}
	begun := p.w.meter.now()
	for p.onPause(); p.d.urgent.begun.Load() > 0; p.onPause() {
		p.w.helpUrgent()
	}
	p.begun += p.w.meter.now() - begun // as if the pass had begun later
}

// pauseWithin is pause as a step of a job.
func (p *pass) pauseWithin(*worker, int, int) { p.pause() }

// helpUrgent does a taking of an urgent pass, or waits until there is none.
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
