package engine

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

var (
	// ErrClosed is returned by calls on a closed engine, by calls that Close interrupts,
	// and by new calls while Shutdown waits for earlier ones.
	ErrClosed = errors.New("engine: closed")
	// ErrModel is in every error about a checkpoint that cannot be used, and
	// about results that are not finite.
	ErrModel = errors.New("engine: cannot use this model")
	// ErrPrompt is in every error about an unknown prompt name. The text has the name and
	// lists the known ones.
	ErrPrompt = errors.New("engine: no such prompt")
	// ErrDevice is in every error about a device or a precision that does not exist or
	// cannot be used on this machine.
	ErrDevice = errors.New("engine: no such device or precision")
	// ErrHardware is in every error of a GPU that failed: it has too little memory, is
	// gone, or stopped a faulty kernel. The text says which. Calls that need less memory
	// still work afterwards; a GPU that is gone stays gone for this engine.
	ErrHardware = errors.New("engine: the device failed")
	// ErrOverloaded is in the error of every call that MaxQueue or MaxWait refuses. Such an
	// error is an *OverloadError.
	ErrOverloaded = errors.New("engine: overloaded")
	// ErrTooLong is in every error about a sequence of tokens that is longer than the
	// model's positions. It is also in the error of a pair or text that stays longer than the
	// maximum length because Info's TruncationStrategy or the option Uncut does not let it be cut: a
	// *TooLongError.
	ErrTooLong = model.ErrTooLong
)

// Engine is an opened model on a device. Its methods are safe for concurrent use.
//
// Calls of any number of goroutines share passes through the model. The engine fills a pass
// from all waiting calls, in turn, an equal number of tokens each, so that a small call does
// not wait for a large one; passes of calls that need several pause for one that needs a single
// pass, within about two milliseconds. Calls of [Background] give way to all others. [MaxQueue] and
// [MaxWait] refuse calls that would wait too long. A call returns at once when its context is
// over or the engine is closed; Shutdown lets calls end first. Streams take more than memory
// holds. No panic inside the engine reaches the caller.
//
// A default prompt of the checkpoint's files goes before each query or single text, unless a
// call asks for another ([Prompt], [PromptName]). A pair or text over the maximum length is cut
// or, where the model or the call forbids that, gets an error of its own ([PairError],
// [TextError]). What else a call may ask for, its [CallOption]s say.
type Engine struct {
	options   options
	info      Info
	tokenizer *tokenizer.Tokenizer
	prompts   prompting
	weights   *model.Weights
	device    model.Device
	head      head
	unscaled  head          // the head without a last step that makes results of length 1
	width     int           // values in a result: 1, the dimensions of an embedding, or the labels
	meaning   model.Meaning // of the labels' logits
	singles   error         // why the tokenizer cannot make tokens of single texts
	last      model.Rows    // the rows of the last layer that the head needs
	detached  bool          // the device no longer reads the weights
	// Tokens in a pass: at most mostTokens; fewer than fewestTokens are not worth a pass of
	// their own.
	fewestTokens, mostTokens int
	interrupts               bool // urgent passes may run before others

	tokenizing, forward stage
	idleCalls           sync.Pool // of *call

	mu            sync.Mutex
	queue         queue
	idleRunners   []*runner
	interruptions interruptions
	passes        uint64
	calls         int // number of calls that wait or compute
	users         int // number of users of the device: running runners, and others
	stats         Stats

	// Closing has four steps: no new calls (closing); the earlier calls have ended
	// (drained); those still waiting return (closed); nobody uses the device (quiet).
	closing, stopped       bool
	drained, closed, quiet chan struct{}

	release    sync.Once
	releaseErr error
}

// Info describes the engine. The slices and the map in it are copies that the caller may
// change.
func (e *Engine) Info() Info {
	i := e.info
	i.Choices, i.Candidates, i.Warnings = slices.Clone(i.Choices), slices.Clone(i.Candidates), slices.Clone(i.Warnings)
	i.Modules, i.Labels, i.Prompts = slices.Clone(i.Modules), slices.Clone(i.Labels), maps.Clone(i.Prompts)
	return i
}

// PeakFLOPS measures the device's peak rate, in floating-point operations a second: all
// passes at once compute for a fraction of a second without reading or writing memory.
// Rates of kernels are given as a share of it. For some devices it is not known; on a
// closed engine it is 0.
func (e *Engine) PeakFLOPS() (flops float64, known bool) {
	device, ok := e.device.(model.PeakMeter)
	if !ok || e.enter() != nil {
		return 0, false
	}
	defer e.leave()
	return device.PeakFLOPS(), true
}

// TimeKernels begins to measure each kernel of the device, in all passes that begin from
// now on. Call stop once: it ends the measurement and returns the sums, or nil if the
// engine was closed meanwhile. On the processor the measurement costs well under 2 % of a
// pass's time; on a GPU it runs each kernel alone, which is slower. known is false if the
// device cannot do this, and on a closed engine. Only one measurement may run at a time.
func (e *Engine) TimeKernels() (stop func() []model.KernelTime, known bool) {
	device, ok := e.device.(model.KernelTimer)
	if !ok || e.enter() != nil {
		return nil, false
	}
	defer e.leave()
	end := device.TimeKernels()
	return func() []model.KernelTime {
		if e.enter() != nil {
			return nil
		}
		defer e.leave()
		return end()
	}, true
}

// Tokenizer returns the tokenizer with which the engine makes tokens of texts, and cuts them. It
// also tells where in a text each token is from, and it works on a closed engine. A prompt is text
// that the engine puts before a query.
func (e *Engine) Tokenizer() *tokenizer.Tokenizer { return e.tokenizer }

// Stats counts what the engine has done so far and what waits now.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats
	s.WaitingCalls, s.WaitingPairs = e.queue.calls(), e.queue.pairs
	return s
}
