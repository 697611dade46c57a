package engine

import (
	"context"
	"errors"
	"slices"
	"time"
)

// fill takes pairs from the queue, in turn, until the pass is full. If there are none, it
// marks the runner idle and returns false: its goroutine ends.
func (r *runner) fill() bool {
	e, urgent := r.e, r.inside == nil
	r.batch.Reset()
	r.parts, r.prompts, r.pauses, r.stats = r.parts[:0], r.prompts[:0], false, PassStats{Urgent: urgent}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.passes++
	r.number = e.passes
	if urgent && !e.interruptions.allowed(time.Now()) {
		return false
	}
	full, small, large := e.passTokens(), true, !urgent
	for !e.stopped {
		// The last pair may cross the limit of the pass. It is taken if more than half of
		// an average pair is below the limit.
		have := r.batch.Tokens() + int(e.queue.average/2)
		if len(r.parts) > 0 && have >= full {
			break
		}
		// If the pass is already large enough for the device, do not add pairs of large
		// calls to pairs of small ones: the small calls would wait for them.
		if len(r.parts) > 0 && have >= e.fewestTokens {
			small = r.parts[0].call.small
			large = !small
		}
		c := e.queue.next(small, large)
		if c == nil {
			break
		}
		if c.isGone() { // its caller leaves: compute no more of it
			e.queue.drop(c)
			continue
		}
		r.add(c)
	}
	if len(r.parts) > 0 {
		r.stats.Waiting = e.queue.pairs
		return true
	}
	if !urgent {
		e.idleRunners = append(e.idleRunners, r)
		e.users--
		e.quieten()
	}
	return false
}

// add takes the next pair of a call that has its turn.
func (r *runner) add(c *call) {
	e, before := r.e, r.batch.Tokens()
	if last := len(r.parts) - 1; last >= 0 && r.parts[last].call == c && r.parts[last].lo+r.parts[last].pairs == c.next {
		r.parts[last].pairs++
	} else {
		p := part{call: c, lo: c.next, at: r.batch.Len(), pairs: 1, first: !r.has(c), taken: time.Now()}
		if p.first {
			c.pass = r.number
			r.stats.Calls++
		}
		r.parts = append(r.parts, p)
		r.pauses = r.pauses || e.interrupts && !c.small && !r.stats.Urgent
		c.parts++
	}
	if c.taken.IsZero() {
		c.taken = r.parts[len(r.parts)-1].taken
		if c.began != nil {
			c.began <- struct{}{}
		}
	}
	ctx, index := c.work, c.next
	pair, text := c.take(&r.batch)
	e.queue.took(c)
	if e.weights.Head.SkipPrompt {
		r.prompts = append(r.prompts, 0)
	}
	if text {
		tell := c.lengths != nil
		e.mu.Unlock()
		length, err := r.tokenize(ctx, &c.how, pair, tell)
		e.mu.Lock()
		if c.lengths != nil {
			c.lengths[index] = length
		}
		switch {
		case err == nil:
		case errors.Is(err, ErrTooLong): // an error of this pair alone
			if c.bad == nil {
				c.bad = make(map[int]error)
			}
			c.bad[index] = err
		default:
			e.fail(c, err)
		}
	}
	tokens := r.batch.Tokens() - before
	e.queue.charge(c, tokens)
	c.longest = max(c.longest, tokens)
	c.stats.Tokens += tokens
	c.stats.FLOPs += e.flops(tokens)
}

// has reports whether the pass has a part of c.
func (r *runner) has(c *call) bool {
	// c.pass is the last pass that took its pairs. It may be another runner's, and this
	// pass may still have some: then search.
	return c.pass == r.number || c.parts > 0 && slices.ContainsFunc(r.parts, func(p part) bool { return p.call == c })
}

// tokenize appends a pair of texts to the batch. It always appends one sequence, also on an
// error. If tell, it returns how many tokens the pair has before it is cut.
func (r *runner) tokenize(ctx context.Context, how *reading, p Pair, tell bool) (length int, err error) {
	b := &r.batch
	_, region := r.e.tokenizing.begin(ctx)
	defer func() {
		if reason := recover(); reason != nil {
			err = r.e.panicked("tokenizer", reason)
			b.IDs, b.Types = append(b.IDs, 0), append(b.Types, 0)
		}
		b.End()
		region.End()
	}()
	if last := len(r.prompts) - 1; last >= 0 {
		r.prompts[last] = r.lastPrompt.of(how)
	}
	before := len(b.IDs)
	err = how.append(b, p)
	if tell {
		length = how.lengthOf(p, len(b.IDs)-before, err)
	}
	if err != nil {
		b.IDs, b.Types = append(b.IDs, 0), append(b.Types, 0)
	}
	return length, err
}

// passTokens returns how many tokens the next pass should have: an even share of what
// waits, so that all passes end at about the same time (Polychronopoulos and Kuck 1987,
// "Guided self-scheduling"), within the sizes that suit the device.
func (e *Engine) passTokens() int {
	return min(max(e.queue.tokens()/e.device.Passes(), e.fewestTokens), e.mostTokens)
}
