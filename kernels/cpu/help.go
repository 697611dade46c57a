package cpu

import (
	"runtime"
	"runtime/debug"
	"time"
)

const (
	// patience is how long a helper without work stays awake. Waking one takes longer than
	// most steps: on two virtual cores at least 0.1 ms, and 3 ms if the system first puts
	// it on the leader's core.
	patience = 200 * time.Microsecond
	// tenure is how long a helper runs at most. It has the profile labels of the pass that
	// started it; its successor has those of a later pass.
	tenure = 50 * time.Millisecond
)

// hire starts free workers as helpers, as many as are useful for n rows.
func (p *pass) hire(n int) {
	d := p.d
	for int(d.helpers.Load()+2)*fewestRows <= n {
		select {
		case w := <-d.ordinary.free:
			d.helpers.Add(1)
			go w.help() // the goroutine inherits the leader's labels, for Go's CPU profile
		default:
			return
		}
	}
}

// take returns a free ordinary worker. If none is free, it waits; helpers then stop
// helping.
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

// helpOthers computes rows of other workers' jobs until there are none for a while.
func (w *worker) helpOthers() {
	debug.SetPanicOnFault(true) // as model.Weights.Guard does for the worker that leads the pass
	d := w.pass.d
	begun := time.Now()
	for last := begun; d.waiting.Load() == 0; runtime.Gosched() {
		// Normal passes wait while there are urgent ones.
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

// helpOnce computes one taking of one of a crew's jobs. It returns false if there is none.
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
