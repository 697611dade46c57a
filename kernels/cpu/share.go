package cpu

import (
	"sync"
	"sync/atomic"
)

// step computes rows lo to hi of something, with w's memory.
type step func(p *pass, w *worker, lo, hi int)

// job is a step that is divided into takings: ranges of rows that the pass's leader, and
// whoever helps it, take one after the other. If a helper comes late or loses its core, the
// others wait only for the rows that it has taken.
type job struct {
	step step
	n    int // how many rows there are
	size int // how many rows a taking has; the last may have fewer
	// The upper half of free is the number of the job, the lower half the number of takings
	// that nobody has taken. A job begins only when the one before is done, so a helper
	// that decrements free gets a taking of the current job.
	free  atomic.Uint64
	left  atomic.Int64  // takings that are not done yet
	ended chan struct{} // receives when a helper has done the last one

	mu     sync.Mutex
	reason any // the value of the first panic
}

// fewestRows is the smallest number of rows that is worth a taking.
const fewestRows = 16

// share runs a step for all of n rows, together with whoever helps, and pauses before each
// taking. Workers that become free meanwhile are hired, too, so that the last of many
// passes does not end with one worker.
//
// Tried without gain: for attention, takings that end with sequences, so that no sequence's
// keys and values are read twice. They had 0.99 of the speed of takings of a chunk each, in
// float32 and in int8: a taking of a chunk wastes no part of a tile.
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

// takers returns how many workers may take rows of p's jobs.
func (p *pass) takers() int {
	d := p.d
	takers := 1 + int(d.helpers.Load())
	if p.urgent() {
		takers += int(d.standing.Load())
	}
	return min(takers, d.Passes())
}

// takingRows returns how many of n rows make up a taking: at most a chunk, so that those
// who wait for a worker or for the next pause do not wait long.
func (p *pass) takingRows(n int) int {
	takers := p.takers()
	if takers == 1 {
		return p.d.chunk
	}
	// As few takings for each worker as possible, of whole tiles, so that little is lost at
	// tiles' edges. More takings would even out the workers' speeds, but each reads all
	// weights: with two for each worker, a pair took 4.98 ms instead of 4.28 in float32 and
	// 1.54 instead of 1.43 in int8.
	const tile = 8
	takings := takers * ((n-1)/(takers*p.d.chunk) + 1)
	return max((n+takings-1)/takings+tile-1, fewestRows) / tile * tile
}

// untaken returns how many takings nobody has taken.
func (j *job) untaken() int { return int(uint32(j.free.Load())) }

// take computes one taking of the current job, if one is left. last is true if it was the
// last one to be done.
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

// do runs a step and keeps the value of a panic in it: when the leader panics, no helper
// may still be at work on its pass.
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
