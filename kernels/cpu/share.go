package cpu

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// step does rows lo to hi of something, with w's memory.
type step func(p *pass, w *worker, lo, hi int)

// job is a step whose rows a pass's leader and the helpers take some at a time,
// whoever is there. A helper that comes late, or whose core another process has,
// keeps nobody waiting but for what it has taken.
type job struct {
	step step
	n    int // rows
	size atomic.Int64
	// free counts jobs in its upper half, and in its lower the rows that nobody has
	// taken. A job is begun only when the one before is done, so what is taken of a
	// job is of that job.
	free  atomic.Uint64
	left  atomic.Int64  // rows that are not done
	ended chan struct{} // a helper did the last

	mu     sync.Mutex
	reason any // the first panic's
}

const (
	// fewestRows is how few rows are worth taking alone.
	fewestRows = 16
	// A helper stays awake this long without work, since to wake one takes longer
	// than most steps: on two virtual cores 0.1 ms at best, and 3 ms where the system
	// puts it on the leader's core at first.
	patience = 200 * time.Microsecond
	// A helper has the profile labels of who hired it. After so long it goes, so that
	// the next has those of the time.
	tenure = 50 * time.Millisecond
)

// share does a step for all of n rows, together with the workers that are free.
func (p *pass) share(n int, step step) {
	j := &p.job
	for int(p.d.helpers.Load()+2)*fewestRows <= n && p.d.hire() {
	}
	helpers := int(p.d.helpers.Load())
	if helpers == 0 || n < 2*fewestRows {
		step(p, p.w, 0, n)
		return
	}
	// As many takings as takers, of whole tiles, so that little is lost at their
	// edges. Twice as many would even out their speeds, but each reads all weights: a
	// pair took 4.98 ms instead of 4.28 in float32, 1.54 instead of 1.43 in int8.
	const tile = 8
	size := max((n+helpers)/(helpers+1)+tile-1, fewestRows) / tile * tile
	j.step, j.n = step, n
	j.size.Store(int64(size))
	j.left.Store(int64(n))
	j.free.Store((j.free.Load()>>32+1)<<32 | uint64(n))
	if !j.work(p, p.w) {
		begun := p.w.meter.now()
		<-j.ended
		p.w.meter.add(begun, outside, wait, 1, cost{})
	}
	if reason := j.reason; reason != nil {
		j.reason = nil
		panic(reason)
	}
}

// hire makes a worker that is free a helper.
func (d *Device) hire() bool {
	select {
	case w := <-d.free:
		d.helpers.Add(1)
		go w.help() // with the leader's labels, for Go's CPU profile
		return true
	default:
		return false
	}
}

// take waits for a worker. Helpers make way.
func (d *Device) take() *worker {
	select {
	case w := <-d.free:
		return w
	default:
	}
	d.waiting.Add(1)
	defer d.waiting.Add(-1)
	return <-d.free
}

// helpOthers takes rows of other workers' jobs until none come for a while.
func (w *worker) helpOthers() {
	debug.SetPanicOnFault(true) // as model.Weights.Guard does for who leads the pass
	d := w.pass.d
	begun := time.Now()
	for last := begun; d.waiting.Load() == 0; runtime.Gosched() {
		for _, leader := range d.workers {
			j := &leader.pass.job
			if uint32(j.free.Load()) == 0 {
				continue
			}
			begun := w.meter.now()
			if j.work(&leader.pass, w) {
				j.ended <- struct{}{}
			}
			w.meter.leave(begun)
			last = time.Now()
		}
		if now := time.Now(); now.Sub(last) > patience || now.Sub(begun) > tenure {
			break
		}
	}
	d.helpers.Add(-1)
	d.free <- w
}

// work takes rows of the job that there is until none are free, and says whether
// it did the job's last.
func (j *job) work(p *pass, w *worker) (last bool) {
	for {
		free := j.free.Load()
		rows := int64(uint32(free))
		if rows == 0 {
			return last
		}
		n := min(rows, j.size.Load())
		if !j.free.CompareAndSwap(free, free-uint64(n)) {
			continue
		}
		lo := j.n - int(rows)
		j.do(p, w, lo, lo+int(n))
		last = j.left.Add(-n) == 0
	}
}

// do keeps what a step panics with: nobody may be left at work on a pass when its
// leader panics.
func (j *job) do(p *pass, w *worker, lo, hi int) {
	defer func() {
		if reason := recover(); reason != nil {
			j.mu.Lock()
			defer j.mu.Unlock()
			if j.reason == nil {
				j.reason = reason
			}
		}
	}()
	j.step(p, w, lo, hi)
}
