package engine

import (
	"context"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// runner takes pairs from the queue, one full pass at a time, until none wait. There are as
// many runners as the device runs passes at the same time. A runner tokenizes the text of
// its own pass just before it computes: meanwhile other runners compute, and the queue
// needs to hold text only.
type runner struct {
	e      *Engine
	loop   func()       // the functions loop, pass and pause are made once,
	pass   func() error // so that using them allocates nothing
	pause  func()
	inside *runner // a second runner, for urgent passes during this one's pauses; nil in such a second runner

	batch  model.Batch
	number uint64 // of the current pass; each pass has another
	parts  []part
	// prompts has how many tokens of each sequence are [CLS] and the prompt, and the last of
	// these, if the head skips those; else it is empty.
	prompts    []int
	lastPrompt promptTokens
	reduce     []model.Reduce // what is read of a batch
	pooled     []float32      // and what that is
	memory     cpu.HeadMemory // of the head that makes scores of that
	scores     []float32
	pauses     bool            // this pass may pause for urgent ones
	labels     context.Context // of the goroutine while the pass computes
	stats      PassStats

	// What the function pass computes: the whole batch, or a part of it that runs again.
	now        *model.Batch
	nowPrompts []int // nil if the head skips no prompts
	nowScores  []float32
	nowParts   []part // of which the batch is
	again      model.Batch
	took       model.PassTime // once it has

	begun, packed time.Time // the pass began to compute, and was laid out for the device
}

// part is a range of consecutive pairs of one call in a pass.
type part struct {
	call      *call
	lo        int  // index of the first pair, in the call
	at, pairs int  // index of the first pair, in the pass, and their number
	first     bool // this is the call's first part in this pass
	again     bool // the pass failed, and this part runs again by itself
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
		// Let the callers that just got their scores run first: a pass keeps the processor
		// for a while.
		runtime.Gosched()
	}
}

// interrupt runs the urgent passes that wait, while this runner's own pass pauses.
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

// run computes the pass and delivers its scores.
func (r *runner) run() {
	e := r.e
	ctx := r.parts[0].call.work
	if r.stats.Calls > 1 {
		ctx = context.Background() // a pass of several calls carries no caller's labels
	}
	n := r.batch.Len() * e.width
	r.scores = slices.Grow(r.scores[:0], n)[:n]
	begun := r.begin()
	r.begun, r.packed = begun, time.Time{}
	labels, region := e.forward.begin(ctx)
	r.labels = labels
	err := r.compute(&r.batch, r.promptsOf(0, r.batch.Len()), r.parts, r.scores)
	region.End()
	r.stats.Infer = time.Since(begun)
	for i := range r.parts {
		p, alone := &r.parts[i], err
		// Pairs of one call may be the reason of the failure. So that they do not fail the
		// other calls in the pass, run each call's pairs again by themselves, if somebody
		// still waits for them.
		if err != nil && len(r.parts) > 1 && e.wanted(p.call) {
			p.again = true
			r.batch.Slice(&r.again, p.at, p.at+p.pairs)
			alone = r.compute(&r.again, r.promptsOf(p.at, p.pairs), r.parts[i:i+1], r.results(p))
		}
		r.deliver(p, alone)
	}
	// Otherwise they would keep ended calls, their text and their contexts in memory.
	clear(r.parts)
	r.labels = nil
	e.observed(r.stats)
}

// wanted reports whether a caller still waits for scores of c.
func (e *Engine) wanted(c *call) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !c.over && c.err == nil
}

// begin notes in the calls that the pass begins to compute.
func (r *runner) begin() time.Time {
	e, now := r.e, time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &r.stats
	s.Tokenize = now.Sub(r.parts[0].taken)
	s.Pairs, s.Tokens, s.Padded = r.batch.Len(), r.batch.Tokens(), r.batch.Len()*r.batch.Longest()
	for i := range r.batch.Len() {
		lo, hi := r.batch.Bounds(i)
		s.FLOPs += e.flops(hi - lo)
	}
	for _, p := range r.parts {
		if !p.first { // counted with the call's first part
			continue
		}
		c := p.call
		took := now.Sub(p.taken)
		c.stats.Tokenize += took
		if c.computing.IsZero() {
			c.computing = now
			// Another runner may have taken pairs of this call earlier, and may still be
			// tokenizing them. Both runners tokenized until now, and that time counts once.
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

// compute scores a batch, which consists of parts.
func (r *runner) compute(b *model.Batch, prompts []int, parts []part, scores []float32) error {
	r.now, r.nowPrompts, r.nowParts, r.nowScores, r.took = b, prompts, parts, scores, model.PassTime{}
	err := r.e.guarded(r.pass)
	r.stats.GPU += r.took.Busy
	r.stats.GPUWait += r.took.Wait
	return err
}

// forward scores the batch.
func (r *runner) forward() error {
	if err := r.encode(); err != nil {
		return err
	}
	r.e.head.Run(&r.memory, r.nowScores, r.pooled)
	n, at := r.now.Len(), r.nowParts[0].at
	width, read := len(r.nowScores)/n, len(r.pooled)/n
	for i := range r.nowParts {
		// These calls want other results of the same rows.
		if p := &r.nowParts[i]; p.call.options.given&optUnscaled != 0 {
			lo, hi := p.at-at, p.at-at+p.pairs
			r.e.unscaled.Run(&r.memory, r.nowScores[lo*width:hi*width], r.pooled[lo*read:hi*read])
		}
	}
	return nil
}

// encode runs the batch through the device.
func (r *runner) encode() error {
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
	c := &r.e.info.Config
	r.reduce = r.e.weights.Head.Reductions(r.reduce[:0], r.now, r.nowPrompts)
	n := r.now.Len() * len(r.reduce) * c.HiddenSize
	r.pooled = slices.Grow(r.pooled[:0], n)[:n]
	if err := model.Forward(p, c.Layers, r.reduce, r.pooled); err != nil {
		return err
	}
	if timed, ok := p.(model.TimedPass); ok {
		r.took = timed.PassTime()
	}
	return nil
}

// results are those of a part.
func (r *runner) results(p *part) []float32 {
	width := r.e.width
	return r.scores[p.at*width : (p.at+p.pairs)*width]
}

// deliver gives a part's scores, or the error, to its call.
func (r *runner) deliver(p *part, err error) {
	e, c := r.e, p.call
	e.mu.Lock()
	defer e.mu.Unlock()
	c.parts--
	// Before the call returns: whoever then asks for the stats finds its pairs there.
	e.stats.Pairs += int64(p.pairs)
	e.stats.Tokens += int64(r.batch.Start[p.at+p.pairs] - r.batch.Start[p.at])
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
	c.deliver(p.lo, p.pairs, r.results(p))
}
