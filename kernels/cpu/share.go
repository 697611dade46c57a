package cpu

import (
	"sync"
	"sync/atomic"
)

// step does rows lo to hi of something, with w's memory.
type step func(p *pass, w *worker, lo, hi int)

// job is a step cut into takings: rows that a pass's leader, and whoever is there to
// help, take one after the other. A helper that comes late, or whose core another
// process has, keeps nobody waiting but for what it has taken.
type job struct {
	step step
	n    int // rows
	size int // of a taking, the last of which may have fewer
	// free counts jobs in its upper half, and in its lower the takings that nobody
	// has. A job is begun only when the one before is done, so what is taken of a job
	// is of that job.
	free  atomic.Uint64
	left  atomic.Int64  // takings that are not done
	ended chan struct{} // a helper did the last

	mu     sync.Mutex
	reason any // the first panic's
}

// fewestRows is how few rows are worth taking alone.
const fewestRows = 16

// share does a step for all of n rows, together with whoever is there to help, and
// pauses before each taking. Who is free while it is at it is hired, too, so that the
// last pass of many does not end alone.
//
// Takings of attention that ended with sequences, so that none had its keys and values
// read twice, gained nothing: 0.99 of the speed of takings of a chunk each, in float32
// and in int8, whose products waste no part of a tile.
func (p *pass) share(n int, step step) {
	p.pause()
	p.hire(n)
	j := &p.job
	j.n, j.size = n, p.takingRows(n)
	takings := (n + j.size - 1) / j.size
	if takings <= 1 {
		step(p, p.w, 0, n)
		return
	}
	j.step = step
	j.left.Store(int64(takings))
	j.free.Store((j.free.Load()>>32+1)<<32 | uint64(takings))
	taken, last := j.take(p, p.w)
	for taken {
		if at := j.untaken(); at > 0 {
			j.do(p, p.w, (*pass).pauseWithin, 0, 0)
			p.hire(at * j.size)
		}
		var ended bool
		taken, ended = j.take(p, p.w)
		last = last || ended
	}
	if !last {
		begun := p.w.meter.now()
		<-j.ended
		p.w.meter.add(begun, outside, wait, 1, cost{})
	}
	if reason := j.reason; reason != nil {
		j.reason = nil
		panic(reason)
	}
}

// takers is how many may take rows of p's jobs.
func (p *pass) takers() int {
	d := p.d
	takers := 1 + int(d.helpers.Load())
	if p.urgent() {
		takers += int(d.standing.Load())
	}
	return min(takers, d.Passes())
}

// takingRows is how many of n rows are taken at a time: no more than a chunk, so that
// whoever waits for a taker, or for the next pause, does not wait long.
func (p *pass) takingRows(n int) int {
	takers := p.takers()
	if takers == 1 {
		return p.d.chunk
	}
	// As few takings for each taker as there can be, of whole tiles, so that little is
	// lost at their edges. More would even out the takers' speeds, but each reads all
	// weights: with two each a pair took 4.98 ms instead of 4.28 in float32, 1.54
	// instead of 1.43 in int8.
	const tile = 8
	takings := takers * ((n-1)/(takers*p.d.chunk) + 1)
	return max((n+takings-1)/takings+tile-1, fewestRows) / tile * tile
}

// untaken is how many takings nobody has.
func (j *job) untaken() int { return int(uint32(j.free.Load())) }

// take does rows of the job that there is, if any are free, and says whether they were
// the last that were not done.
func (j *job) take(p *pass, w *worker) (taken, last bool) {
	for {
		free := j.free.Load()
		takings := int(uint32(free))
		if takings == 0 {
			return false, false
		}
		if !j.free.CompareAndSwap(free, free-1) {
			continue
		}
		lo := ((j.n+j.size-1)/j.size - takings) * j.size
		j.do(p, w, j.step, lo, min(lo+j.size, j.n))
		return true, j.left.Add(-1) == 0
	}
}

// do keeps what a step panics with: nobody may be left at work on a pass when its
// leader panics.
func (j *job) do(p *pass, w *worker, step step, lo, hi int) {
	defer func() {
		if reason := recover(); reason != nil {
			j.mu.Lock()
			defer j.mu.Unlock()
			if j.reason == nil {
				j.reason = reason
			}
		}
	}()
	step(p, w, lo, hi)
}
