package engine

import "github.com/minilm-metal/minilm-metal/model"

// window is how many pairs of a stream may have come without their score being yielded:
// enough for some passes on the largest device.
const window = 1024

// slot holds one pair of a stream, and its score once that is known.
type slot struct {
	pair       Pair
	ids, types []int32 // the pair, in a stream of tokens
	score      float32
	scored     bool
	err        error // why the pair has no score
}

func (s *stream) at(i int) *slot { return &s.ring[i%window] }

// add waits for room and adds a pair. It returns false if no more pairs may be added.
func (s *stream) add(set func(to *slot)) bool {
	for {
		if more, added := s.tryAdd(set); added || !more {
			return more
		}
		select {
		case <-s.room:
		case <-s.call.gone:
			return false
		case <-s.e.closed:
			return false
		}
	}
}

func (s *stream) tryAdd(set func(to *slot)) (more, added bool) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	c := s.call
	if c.over || c.err != nil || s.e.stopped {
		return false, false
	}
	if c.count-s.yielded == window {
		return true, false
	}
	to := s.at(c.count)
	to.scored, to.err = false, nil
	set(to)
	c.count++
	s.skip()
	if to.err == nil {
		c.left++
		s.e.enqueue(c, 1)
	} else {
		wake(s.ready)
	}
	return true, true
}

// skip moves on over pairs that already have an error, to the next one to be computed.
func (s *stream) skip() {
	for c := s.call; c.next < c.count && s.at(c.next).err != nil; {
		c.next++
	}
}

// take does for a stream what call.take says.
func (s *stream) take(i int, b *model.Batch) (p Pair, text bool) {
	from := s.at(i)
	p, from.pair = from.pair, Pair{} // the slot need not keep the text
	s.skip()
	if len(from.ids) == 0 {
		return p, true
	}
	b.Append(from.ids, from.types)
	return p, false
}

// deliver does for a stream what call.deliver says.
func (s *stream) deliver(lo int, scores []float32) {
	for i, score := range scores {
		to := s.at(lo + i)
		to.score, to.scored, to.err = score, true, s.call.bad[lo+i]
		delete(s.call.bad, lo+i)
	}
	if lo == s.yielded {
		wake(s.ready)
	}
}
