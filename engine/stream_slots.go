package engine

import (
	"iter"
	"math"
	"slices"

	"github.com/minilm-metal/minilm-metal/model"
)

// window is how many pairs of a stream may have come without their result being yielded:
// enough for some passes on the largest device.
const window = 1024

// windowBytes is how many bytes of text may wait in a stream before no more are added: long texts
// wait in smaller numbers. It is far more than passes of the longest sequences read.
const windowBytes = 16 << 20

// slot holds one pair of a stream, and its row of results once that is known.
type slot struct {
	pair       Pair    // the Query alone, in a stream of single texts
	ids, types []int32 // the pair, in a stream of tokens
	row        []float32
	known      bool
	err        error // why the pair has no results
}

// feed returns what adds all that an iterator yields to a stream, or nil without an iterator.
// prepare makes of one what writes it to a slot, which is done under the engine's lock.
func feed[T any](all iter.Seq[T], prepare func(one T) func(to *slot)) func(*stream) {
	if all == nil {
		return nil
	}
	return func(s *stream) {
		for one := range all {
			if !s.add(prepare(one)) {
				return
			}
		}
	}
}

func ofPair(p Pair) func(*slot)      { return func(to *slot) { to.pair = p } }
func ofText(text string) func(*slot) { return func(to *slot) { to.pair = Pair{Query: text} } }

// ofTokens is ofPair for tokens. Of those that cannot be used the slot has the error alone: they may
// be of any length.
func (e *Engine) ofTokens(p Tokens) func(*slot) {
	one := model.Batch{IDs: p.IDs, Types: p.Types, Start: []int32{0, int32(len(p.IDs))}}
	err := one.Validate(&e.info.Config)
	return func(to *slot) {
		if to.err = err; err == nil {
			to.ids, to.types = append(to.ids[:0], p.IDs...), append(to.types[:0], p.Types...)
		}
	}
}

// scoresOf makes scores of rows of one.
func scoresOf(rows iter.Seq2[[]float32, error]) iter.Seq2[float32, error] {
	return func(yield func(float32, error) bool) {
		rows(func(row []float32, err error) bool {
			if row == nil {
				return yield(float32(math.NaN()), err)
			}
			return yield(row[0], err)
		})
	}
}

// owned makes rows that the caller may keep.
func owned(rows iter.Seq2[[]float32, error]) iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) {
		rows(func(row []float32, err error) bool { return yield(slices.Clone(row), err) })
	}
}

func (p *Pair) bytes() int { return len(p.Query) + len(p.Passage) }

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
	if c.count-s.yielded == window || s.waiting >= windowBytes {
		return true, false
	}
	to := s.at(c.count)
	to.known, to.err = false, nil
	set(to)
	s.waiting += to.pair.bytes()
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
	full := s.waiting >= windowBytes
	if s.waiting -= p.bytes(); full && s.waiting < windowBytes {
		wake(s.room)
	}
	s.skip()
	if len(from.ids) == 0 {
		return p, true
	}
	b.Append(from.ids, from.types)
	return p, false
}

// deliver does for a stream what call.deliver says.
func (s *stream) deliver(lo int, results []float32) {
	width := s.e.width
	for i := range len(results) / width {
		to := s.at(lo + i)
		to.row, to.known, to.err = append(to.row[:0], results[i*width:][:width]...), true, s.call.bad[lo+i]
		delete(s.call.bad, lo+i)
	}
	if lo == s.yielded {
		wake(s.ready)
	}
}
