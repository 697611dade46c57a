package cpu

import (
	"runtime"
	"runtime/debug"
	"time"
)

const (
	// A helper stays awake this long without work, since to wake one takes longer
	// than most steps: on two virtual cores 0.1 ms at best, and 3 ms where the system
	// puts it on the leader's core at first.
	patience = 200 * time.Microsecond
	// A helper has the profile labels of who hired it. After so long it goes, so that
	// the next has those of the time.
	tenure = 50 * time.Millisecond
)

// hire makes helpers of workers that are free, as many as n rows are worth.
func (p *pass) hire(n int) {
	d := p.d
	for int(d.helpers.Load()+2)*fewestRows <= n {
		select {
		case w := <-d.ordinary.free:
			d.helpers.Add(1)
			go w.help() // with the leader's labels, for Go's CPU profile
		default:
			return
		}
	}
}

// take waits for an ordinary worker. Helpers make way.
func (d *Device) take() *worker {
	select {
	case w := <-d.ordinary.free:
		return w
	default:
	}
	d.waiting.Add(1)
	defer d.waiting.Add(-1)
	return <-d.ordinary.free
}

// helpOthers takes rows of other workers' jobs until none come for a while.
func (w *worker) helpOthers() {
	debug.SetPanicOnFault(true) // as model.Weights.Guard does for who leads the pass
	d := w.pass.d
	begun := time.Now()
	for last := begun; d.waiting.Load() == 0; runtime.Gosched() {
		// While there are urgent passes, the others wait.
		c := &d.ordinary
		if d.urgent.begun.Load() > 0 {
			c = &d.urgent
		}
		if w.helpOnce(c) {
			last = time.Now()
		}
		if now := time.Now(); now.Sub(last) > patience || now.Sub(begun) > tenure {
			break
		}
	}
	d.helpers.Add(-1)
	d.ordinary.free <- w
}

// helpOnce does a taking of a crew's jobs, if there is one.
func (w *worker) helpOnce(c *crew) bool {
	for _, leader := range c.workers {
		p := &leader.pass
		j := &p.job
		if j.untaken() == 0 {
			continue
		}
		begun := w.meter.now()
		taken, last := j.take(p, w)
		if last {
			j.ended <- struct{}{}
		}
		if taken {
			w.meter.leave(begun)
			return true
		}
	}
	return false
}
