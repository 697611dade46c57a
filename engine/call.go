package engine

import (
	"context"
	"errors"
	"runtime/trace"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// call is pairs that somebody wants scores of. A call that waits holds its pairs and
// nothing else; they become tokens when a pass takes them.
//
// Fields are under the engine's lock once the call is in the queue.
type call struct {
	place
	ctx  context.Context // the caller's, which only he uses
	work context.Context // for passes: labels and, where somebody traces, the task
	gone <-chan struct{} // closed when ctx is over
	task *trace.Task     // nil: nobody traces

	// What the call is made of is one of these.
	pairs  []Pair
	prompt string // before the query of each pair of texts
	tokens *model.Batch
	stream *stream

	scores []float32 // the caller's, with those that were there before,
	dst    []float32 // and without: what passes write, while he waits
	count  int       // pairs, of a stream those that have come so far
	next   int       // the first pair that no pass has taken
	left   int       // pairs without a score
	parts  int       // under way, with pairs of the call

	bad map[int]error // why pairs, by their index, have no score; nil: none is known

	over  bool // whatever comes for the call now is nobody's
	err   error
	done  chan struct{} // of 1: all scores are there, or err is
	began chan struct{} // of 1: a pass has taken the first pair; nil: nobody traces
	waits *trace.Region // until then
	timer *time.Timer   // of MaxWait; nil: there is none
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

// newCall begins a call that may go on: it has a context that is not over, and an engine
// that is not closed.
func (e *Engine) newCall(ctx context.Context) (*call, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	if ctx.Err() != nil {
		return nil, cancelled{context.Cause(ctx)}
	}
	e.mu.Lock()
	closing := e.closing
	e.mu.Unlock()
	if closing {
		return nil, ErrClosed
	}
	c := e.idleCalls.Get().(*call)
	c.ctx, c.gone, c.weight = ctx, ctx.Done(), 1
	if ctx.Value(backgroundKey{}) != nil {
		c.weight = backgroundWeight
	}
	return c, nil
}

// reuse gives the call's memory back, unless a pass still knows it.
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
	c.small = c.kind() == 0 && c.fits(e.mostTokens, e.info.MaxLength)
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

// bytesPerToken is about what English text has. Whatever a text really has, its pair has
// no more tokens than the longest may have.
const bytesPerToken = 4

// fits says whether the call is small: one pair, or some that make about one pass of most
// tokens. It goes by the call's own pairs, whatever others' are like.
func (c *call) fits(most, longest int) bool {
	switch {
	case c.stream != nil:
		return false
	case c.count == 1:
		return true
	case c.tokens != nil:
		return c.tokens.Tokens() <= most
	}
	tokens := 3 * c.count // [CLS], [SEP], [SEP]
	for i := range c.pairs {
		if tokens > most {
			return false
		}
		p := &c.pairs[i]
		tokens += min((len(c.prompt)+len(p.Query)+len(p.Passage))/bytesPerToken, longest)
	}
	return tokens <= most
}

// enqueue makes pairs of the call wait, and sees that somebody takes them: as many
// runners as what waits makes passes that are worth it, since those that fill passes at
// the same time share it evenly.
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

// overload is the error of a call that is refused.
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

// isGone says whether the caller's context is over, who may not have noticed yet.
func (c *call) isGone() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// inPass notes in the trace that the call waits no more.
func (c *call) inPass() {
	if c.waits != nil {
		c.waits.End()
		c.waits = nil
	}
}

// tooLate is the error of a call that has waited for MaxWait, if no pass has begun.
func (e *Engine) tooLate(c *call) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.next > 0 {
		return nil
	}
	return e.overload(c, time.Since(c.queued))
}

// end takes the call out of everything, and returns its error: err, unless it had ended
// before that came.
func (e *Engine) end(c *call, err error) error {
	c.inPass()
	if c.timer != nil {
		c.timer.Stop()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err == errLeft: // whoever has left the loop must not be called again
	case c.err != nil:
		err = c.err
	case c.left == 0 && c.stream == nil:
		err = nil // all scores came first
	}
	select {
	case <-c.done: // it came meanwhile, and must not be there when the call is reused
	default:
	}
	c.over, c.dst = true, nil
	e.queue.drop(c)
	if err == nil || err == errLeft { // who has left a stream has had scores, too
		c.settle(e)
	}
	e.calls--
	e.quieten()
	return err
}

// settle makes the call's stats of what was noted on its way, and counts them.
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

// take appends the tokens of the call's next pair to b where they are known, and returns
// its text where they are not.
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
	}
	return c.pairs[i], true
}

// deliver gives the caller the scores of pairs from lo on.
func (c *call) deliver(lo int, scores []float32) {
	c.left -= len(scores)
	if c.stream != nil {
		c.stream.deliver(lo, scores)
		return
	}
	copy(c.dst[lo:], scores)
	if c.left == 0 {
		wake(c.done)
	}
}
