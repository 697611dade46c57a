package engine

import (
	"context"
	"errors"
	"runtime/trace"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// call is one caller's request for scores. While it waits it holds its pairs as text; a
// pass makes tokens of them when it takes them.
//
// Once the call is in the queue, the engine's lock guards its fields.
type call struct {
	place
	ctx  context.Context // the caller's; read on the caller's goroutine only
	work context.Context // the context for passes: it carries the labels and, while a trace is recorded, the task
	gone <-chan struct{} // closed when ctx is over
	task *trace.Task     // nil unless a trace is being recorded

	// What it is about, in one of four forms.
	pairs  []Pair
	texts  []string
	tokens *model.Batch
	stream *stream

	method  *method
	options callOptions
	how     reading // of texts, to make tokens
	raw     bool    // scores and labels stay logits

	scores  []float32 // the caller's slice, including what it held before the call
	dst     []float32 // the end of scores, one element a pair, or an embedding a text; passes write here
	lengths []int     // nil unless the call tells how many tokens each pair has before it is cut; the caller's
	count   int       // how many pairs; for a stream, how many have come so far
	next    int       // index of the first pair that no pass has taken
	left    int       // how many pairs have no score yet
	parts   int       // how many passes under way hold pairs of this call

	bad map[int]error // errors of single pairs, by index; nil if there are none so far

	over  bool // the call has returned: later results are dropped
	err   error
	done  chan struct{} // capacity 1; receives when all scores are there or err is set
	began chan struct{} // capacity 1; receives when a pass has taken the first pair; nil unless a trace is being recorded
	waits *trace.Region // in the trace, the time until began
	timer *time.Timer   // for MaxWait; nil without that limit
	late  <-chan time.Time

	// When the caller came (zero: of a stream), when the call was in the queue, when its
	// first pair was taken, when the first pass with pairs of it began to compute, when the
	// last ended.
	came, queued, taken, computing, ended time.Time
	longest                               int    // tokens of a pair
	pass                                  uint64 // the last that took pairs of it
	stats                                 CallStats
}

// errNilContext is the error of a call without a context.
var errNilContext = errors.New("engine: nil context")

// newCall returns a new call of a method, about nothing so far.
func (e *Engine) newCall(m *method, opts []CallOption) *call {
	c := e.idleCalls.Get().(*call)
	c.method = m
	c.options.apply(opts)
	return c
}

// prepare makes a new call ready for the queue. It fails if the engine or the method cannot do
// what is asked, ctx is nil or over, or the engine is closed.
func (c *call) prepare(e *Engine, ctx context.Context) error {
	err := e.need(c.method.of)
	if err == nil && c.method.single {
		err = e.singles
	}
	if err == nil {
		err = c.how.set(e, c.method, &c.options)
	}
	switch {
	case err != nil:
		return err
	case ctx == nil:
		return errNilContext
	case ctx.Err() != nil:
		return cancelled{context.Cause(ctx)}
	}
	e.mu.Lock()
	closing := e.closing
	e.mu.Unlock()
	if closing {
		return ErrClosed
	}
	c.raw = c.options.raw(&e.options)
	c.ctx, c.gone, c.weight = ctx, ctx.Done(), 1
	if ctx.Value(backgroundKey{}) != nil {
		c.weight = backgroundWeight
	}
	return nil
}

// reuse returns the call to the pool, unless a pass still points to it.
func (e *Engine) reuse(c *call) {
	e.mu.Lock()
	known := c.parts > 0
	e.mu.Unlock()
	if !known {
		*c = call{done: c.done}
		e.idleCalls.Put(c)
	}
}

// submit puts the call into the queue, or refuses it.
func (e *Engine) submit(c *call) error {
	c.work = c.ctx
	if !trace.IsEnabled() {
		c.work = labelled(c.ctx)
	}
	c.small = c.kind() == 0 && c.fits(e.mostTokens, c.how.limit)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing {
		return ErrClosed
	}
	if most := e.options.maxQueue; most > 0 && e.queue.counted[c.kind()] >= most {
		return e.overload(c, 0)
	}
	if most := e.options.maxWait; most > 0 && c.stream == nil && c.kind() == 0 {
		c.timer = time.NewTimer(most)
		c.late = c.timer.C
	}
	if trace.IsEnabled() {
		c.began, c.waits = make(chan struct{}, 1), trace.StartRegion(c.ctx, "queue")
	}
	c.queued = time.Now()
	e.calls++
	e.enqueue(c, c.count)
	return nil
}

// bytesPerToken is about what English text has. The estimate need not be good: no pair has
// more tokens than the maximum length.
const bytesPerToken = 4

// fits reports whether the call is small: a single pair, or pairs that together make about
// one pass of most tokens. It looks at this call's pairs only.
func (c *call) fits(most, longest int) bool {
	switch {
	case c.stream != nil:
		return false
	case c.count == 1:
		return true
	case c.tokens != nil:
		return c.tokens.Tokens() <= most
	}
	tokens := 3 * c.count // [CLS] and two [SEP] a pair
	for i := range c.pairs {
		if tokens > most {
			return false
		}
		p := &c.pairs[i]
		tokens += min((len(c.how.prompt)+len(p.Query)+len(p.Passage))/bytesPerToken, longest)
	}
	for i := range c.texts {
		if tokens > most {
			return false
		}
		tokens += min((len(c.how.prompt)+len(c.texts[i]))/bytesPerToken, longest)
	}
	return tokens <= most
}

// enqueue adds pairs of the call to the queue and starts runners to take them. It starts as
// many as there are worthwhile passes in the queue, because runners that fill passes at the
// same time share the queue evenly.
func (e *Engine) enqueue(c *call, pairs int) {
	e.queue.put(c, pairs)
	worth := max(1, (e.queue.tokens()+e.fewestTokens/2)/e.fewestTokens)
	for range min(pairs, worth, len(e.idleRunners)) {
		last := len(e.idleRunners) - 1
		r := e.idleRunners[last]
		e.idleRunners = e.idleRunners[:last]
		e.users++
		go r.loop()
	}
}

// overload returns the error of a refused call.
func (e *Engine) overload(c *call, waited time.Duration) error {
	return &OverloadError{Calls: e.queue.calls(), Pairs: e.queue.pairs, Counted: e.queue.counted[c.kind()], Waited: waited}
}

// await waits until the call has its scores or an error, its context is over, it has
// waited too long for a pass, or the engine is closed.
func (e *Engine) await(c *call) error {
	for {
		select {
		case <-c.done:
			return e.end(c, nil)
		case <-c.began:
			c.inPass()
		case <-c.late:
			if err := e.tooLate(c); err != nil {
				return e.end(c, err)
			}
		case <-c.gone:
			return e.end(c, cancelled{context.Cause(c.ctx)})
		case <-e.closed:
			return e.end(c, ErrClosed)
		}
	}
}

// isGone reports whether the caller's context is over. The caller may not have returned
// yet.
func (c *call) isGone() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// inPass marks in the trace that the call no longer waits.
func (c *call) inPass() {
	if c.waits != nil {
		c.waits.End()
		c.waits = nil
	}
}

// tooLate returns the error of a call that has waited for MaxWait, or nil if one of its
// passes has begun.
func (e *Engine) tooLate(c *call) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.next > 0 {
		return nil
	}
	return e.overload(c, time.Since(c.queued))
}

// end takes the call out of the queue and of the passes, and returns the call's error: err,
// unless the call ended before with a result of its own.
func (e *Engine) end(c *call, err error) error {
	c.inPass()
	if c.timer != nil {
		c.timer.Stop()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err == errLeft: // the stream's loop has ended, and must not be called again
	case c.err != nil:
		err = c.err
	case c.left == 0 && c.stream == nil:
		err = nil // all scores came before the error
	}
	select {
	case <-c.done: // a late signal must not stay in the channel, since the call is reused
	default:
	}
	c.over, c.dst, c.lengths = true, nil, nil
	e.queue.drop(c)
	if err == nil || err == errLeft { // a stream that was left early has received scores too
		c.settle(e)
	}
	e.calls--
	e.quieten()
	return err
}

// settle computes the call's stats from its noted times, tells its caller, and adds them to the
// engine's. A pass may go on to note times in a call that is over, so this is the time to read them.
func (c *call) settle(e *Engine) {
	s := &c.stats
	s.Padded = s.Pairs * c.longest
	if s.Passes > 0 {
		s.Queue, s.Infer, s.Deliver = c.taken.Sub(c.queued), c.ended.Sub(c.computing), time.Since(c.ended)
		if !c.came.IsZero() {
			s.Admit = c.queued.Sub(c.came)
		}
		s.Overlapped = max(0, s.Overlapped) // who leaves a stream leaves tokens half made
	}
	if c.options.stats != nil {
		*c.options.stats = *s
	}
	e.stats.Total.add(*s)
	e.stats.LongestQueue = max(e.stats.LongestQueue, s.Queue)
}

// fail ends a call that cannot have its scores.
func (e *Engine) fail(c *call, err error) {
	if c.over || c.err != nil {
		return
	}
	c.err = err
	e.queue.drop(c)
	wake(c.done)
}

// take takes the call's next pair. If its tokens are known, it appends them to b; otherwise
// it returns the pair, and text is true.
func (c *call) take(b *model.Batch) (p Pair, text bool) {
	i := c.next
	c.next++
	switch {
	case c.stream != nil:
		return c.stream.take(i, b)
	case c.tokens != nil:
		lo, hi := c.tokens.Bounds(i)
		b.Append(c.tokens.IDs[lo:hi], c.tokens.Types[lo:hi])
		return p, false
	case c.texts != nil:
		return Pair{Query: c.texts[i]}, true
	}
	return c.pairs[i], true
}

// deliver writes the results of some pairs to the caller's slice, from pair lo on.
func (c *call) deliver(lo, pairs int, scores []float32) {
	c.left -= pairs
	if c.stream != nil {
		c.stream.deliver(lo, scores)
		return
	}
	copy(c.dst[lo*(len(scores)/pairs):], scores)
	if c.left == 0 {
		wake(c.done)
	}
}
