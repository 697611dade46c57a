package engine

import (
	"context"
	"errors"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// runner takes pairs from the queue, a pass full at a time, until none wait. There are as
// many as the device runs passes at once. Each makes tokens of its pass's text itself,
// just before it computes: others compute meanwhile, and what waits is text alone.
type runner struct {
	e      *Engine
	loop   func()       // these three are made once, so that to start or to call them
	pass   func() error // allocates nothing
	pause  func()
	inside *runner // runs urgent passes in this one's pauses; nil: this is such a one

	batch  model.Batch
	number uint64 // of the pass
	parts  []part
	scores []float32
	pauses bool            // urgent passes may go before this one
	labels context.Context // of the goroutine while the pass computes
	stats  PassStats

	// What pass computes: all of batch, or a part that is run again.
	now       *model.Batch
	nowScores []float32
	again     model.Batch
	took      model.PassTime // once it has

	begun, packed time.Time // the pass began to compute, and was laid out for the device
}

// part is consecutive pairs of one call in a pass.
type part struct {
	call      *call
	lo        int  // the first one's index in the call
	at, pairs int  // in the pass
	first     bool // of the call, in this pass
	again     bool // run by itself, since the pass failed
	taken     time.Time
}

func newRunner(e *Engine) *runner {
	r := &runner{e: e, inside: &runner{e: e}}
	r.loop, r.pause = r.work, r.interrupt
	r.pass, r.inside.pass = r.forward, r.inside.forward
	return r
}

// work runs passes until no pair waits.
func (r *runner) work() {
	for r.fill() {
		r.run()
		// Those who have their scores go on first: a pass keeps the processor for a while.
		runtime.Gosched()
	}
}

// interrupt runs the urgent passes that there are, in a pause of the runner's own.
func (r *runner) interrupt() {
	e := r.e
	if !r.pauses || e.queue.hurried.Load() == 0 {
		return
	}
	for r.inside.fill() {
		begun := time.Now()
		r.inside.run()
		e.mu.Lock()
		e.interruptions.took(time.Since(begun))
		e.mu.Unlock()
	}
	pprof.SetGoroutineLabels(r.labels)
}

// fill takes pairs from the queue, by turns, until the pass is full. Without any the
// runner is idle, and its goroutine ends.
func (r *runner) fill() bool {
	e, urgent := r.e, r.inside == nil
	r.batch.Reset()
	r.parts, r.pauses, r.stats = r.parts[:0], false, PassStats{Urgent: urgent}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.passes++
	r.number = e.passes
	if urgent && !e.interruptions.allowed(time.Now()) {
		return false
	}
	full, small, large := e.passTokens(), true, !urgent
	for !e.stopped {
		// A pair in the middle of which the pass gets full goes to the side where more of
		// it would be, as far as pairs are of average length.
		have := r.batch.Tokens() + int(e.queue.average/2)
		if len(r.parts) > 0 && have >= full {
			break
		}
		// Small calls would wait for what large ones have in the same pass, so that they
		// have passes of their own, unless those would be too small for the device.
		if len(r.parts) > 0 && have >= e.fewestTokens {
			small = r.parts[0].call.small
			large = !small
		}
		c := e.queue.next(small, large)
		if c == nil {
			break
		}
		if c.isGone() { // nothing more of it is computed, and its caller will leave
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

// add takes the next pair of a call, whose turn it is.
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
	if text {
		prompt := c.prompt
		e.mu.Unlock()
		err := r.tokenize(ctx, prompt, pair)
		e.mu.Lock()
		switch {
		case err == nil:
		case errors.Is(err, ErrTooLong): // of this pair alone
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
	c.stats.FLOPs += e.info.Config.FLOPs(tokens)
}

// has says whether the pass has a part of c.
func (r *runner) has(c *call) bool {
	// The runner that took the call's pairs last knows; where others are at it too, each
	// looks.
	return c.pass == r.number || c.parts > 0 && slices.ContainsFunc(r.parts, func(p part) bool { return p.call == c })
}

// tokenize appends a pair of texts to the batch: one sequence, whatever happens.
func (r *runner) tokenize(ctx context.Context, prompt string, p Pair) (err error) {
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
	if b.IDs, b.Types, err = r.e.tokenizer.AppendPair(b.IDs, b.Types, prompt+p.Query, p.Passage); err != nil {
		b.IDs, b.Types = append(b.IDs, 0), append(b.Types, 0)
		return tooLong{err}
	}
	return nil
}

// run computes the pass and hands its scores over.
func (r *runner) run() {
	e := r.e
	ctx := r.parts[0].call.work
	if r.stats.Calls > 1 {
		ctx = context.Background() // what is several calls' is nobody's
	}
	r.scores = slices.Grow(r.scores[:0], r.batch.Len())[:r.batch.Len()]
	begun := r.begin()
	r.begun, r.packed = begun, time.Time{}
	labels, region := e.forward.begin(ctx)
	r.labels = labels
	err := r.compute(&r.batch, r.scores)
	region.End()
	r.stats.Infer = time.Since(begun)
	for i := range r.parts {
		p, alone := &r.parts[i], err
		// One call's pairs shall not be the end of its neighbours: where a pass fails,
		// each call's are run by themselves, if somebody still waits for them.
		if err != nil && len(r.parts) > 1 && e.wanted(p.call) {
			p.again = true
			r.batch.Slice(&r.again, p.at, p.at+p.pairs)
			alone = r.compute(&r.again, r.scores[p.at:p.at+p.pairs])
		}
		r.deliver(p, alone)
	}
	// These would keep calls that were, their text, and what is in their contexts.
	clear(r.parts)
	r.labels = nil
	e.observed(r.stats)
}

// wanted says whether somebody waits for scores of c.
func (e *Engine) wanted(c *call) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !c.over && c.err == nil
}

// begin notes that the pass begins to compute.
func (r *runner) begin() time.Time {
	e, now := r.e, time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &r.stats
	s.Tokenize = now.Sub(r.parts[0].taken)
	s.Pairs, s.Tokens, s.Padded = r.batch.Len(), r.batch.Tokens(), r.batch.Len()*r.batch.Longest()
	for i := range r.batch.Len() {
		lo, hi := r.batch.Bounds(i)
		s.FLOPs += e.info.Config.FLOPs(hi - lo)
	}
	for _, p := range r.parts {
		if !p.first { // its time is within that of the first
			continue
		}
		c := p.call
		took := now.Sub(p.taken)
		c.stats.Tokenize += took
		if c.computing.IsZero() {
			c.computing = now
			// Another runner may have taken pairs of the call before, and be at their tokens
			// still: until now the two have been at it side by side.
			c.stats.Overlapped -= p.taken.Sub(c.taken)
		} else {
			c.stats.Overlapped += took
		}
	}
	e.stats.Passes++
	if s.Calls > 1 {
		e.stats.Shared++
	}
	if s.Urgent {
		e.stats.Urgent++
	}
	e.stats.Running++
	return now
}

// compute scores a batch.
func (r *runner) compute(b *model.Batch, scores []float32) error {
	r.now, r.nowScores, r.took = b, scores, model.PassTime{}
	err := r.e.guarded(r.pass)
	r.stats.GPU += r.took.Busy
	r.stats.GPUWait += r.took.Wait
	return err
}

// forward is a pass through the device.
func (r *runner) forward() error {
	begin := r.e.device.Begin
	if r.stats.Urgent {
		begin = r.e.device.(model.Interrupter).BeginUrgent
	}
	p, err := begin(r.now)
	if err != nil {
		return err
	}
	defer p.End()
	if r.packed.IsZero() { // not where a part is run again
		r.packed = time.Now()
	}
	if pauser, ok := p.(model.Pauser); ok && r.pauses {
		pauser.OnPause(r.pause)
	}
	if err := model.Forward(p, r.e.info.Config.Layers, r.nowScores); err != nil {
		return err
	}
	if timed, ok := p.(model.TimedPass); ok {
		r.took = timed.PassTime()
	}
	return nil
}

// deliver gives a call the scores of its part, or the error.
func (r *runner) deliver(p *part, err error) {
	e, c := r.e, p.call
	e.mu.Lock()
	defer e.mu.Unlock()
	c.parts--
	if c.over {
		return
	}
	if err != nil {
		e.fail(c, err)
		return
	}
	c.ended = time.Now()
	c.stats.Pairs += p.pairs
	if p.first {
		c.stats.Passes++
		if c.computing.Equal(r.begun) {
			c.stats.Pack = r.packed.Sub(r.begun)
		}
	}
	if p.first || p.again {
		c.stats.GPU += r.took.Busy
		c.stats.GPUWait += r.took.Wait
	}
	c.deliver(p.lo, r.scores[p.at:p.at+p.pairs])
}

// passTokens is how many tokens the next pass should have: an even share of what waits,
// so that passes end together (Polychronopoulos and Kuck 1987, "Guided self-scheduling"),
// within what suits the device.
func (e *Engine) passTokens() int {
	return min(max(e.queue.tokens()/e.device.Passes(), e.fewestTokens), e.mostTokens)
}
