package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/input"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

var (
	// ErrClosed is what calls on a closed engine return, calls that Close interrupts, and
	// new ones while Shutdown waits for others.
	ErrClosed = errors.New("engine: closed")
	// ErrModel is in every error about a checkpoint that cannot be used, and
	// about scores that are not numbers.
	ErrModel = errors.New("engine: cannot use this model")
	// ErrDevice is in every error about a device or a precision that is not to
	// be had here.
	ErrDevice = errors.New("engine: no such device or precision")
	// ErrHardware is in every error of a GPU that failed: out of memory, gone, or at
	// fault in a kernel. The text says which. After the first, what needs less memory
	// still works; a GPU that is gone does not come back to this engine.
	ErrHardware = errors.New("engine: the device failed")
	// ErrOverloaded is in the error of every call that is refused because too many wait,
	// or that has waited too long; see *OverloadError, which it is.
	ErrOverloaded = errors.New("engine: overloaded")
	// ErrTooLong is in every error about a sequence of tokens that is longer
	// than the model's positions. Text is truncated instead, unless the tokenizer's
	// strategy does not cut it: then it is in the error of its pair.
	ErrTooLong = model.ErrTooLong
)

// Engine is an opened model on a device. Its methods are safe for concurrent
// use.
type Engine struct {
	options   options
	info      Info
	tokenizer *tokenizer.Tokenizer
	prompts   prompting
	weights   *model.Weights
	device    model.Device
	detached  bool // the device needs the weights no more
	// mostTokens is a pass's budget, fewestTokens what is worth one: 1 is anything.
	fewestTokens, mostTokens int
	interrupts               bool // urgent passes may go before others

	tokenizing, forward stage
	idleCalls           sync.Pool // of *call

	mu            sync.Mutex
	queue         queue
	idleRunners   []*runner
	interruptions interruptions
	passes        uint64
	calls         int // that wait or compute
	users         int // of the device: runners at work, and others
	stats         Stats

	// Closing goes: no more calls (closing), those that were are at their end (drained);
	// those that are left return (closed), nobody uses the device (quiet).
	closing, stopped       bool
	drained, closed, quiet chan struct{}

	release    sync.Once
	releaseErr error
}

// Open opens a checkpoint: a directory, or a hub id such as
// "cross-encoder/ms-marco-MiniLM-L-6-v2" in the local Hugging Face cache.
// Nothing is ever downloaded. The weights' file is best replaced by renaming another over
// it: where it is written to or cut short in place, calls on the reference and on generic
// kernels end with ErrModel, as those read it all the time; all others have their own
// copy by the time that Open returns. Errors about the checkpoint are ErrModel, those about what
// it shall run on ErrDevice.
func Open(path string, opts ...Option) (*Engine, error) {
	fsys, err := find(path)
	if err != nil {
		return nil, unusable(err)
	}
	return OpenFS(fsys, opts...)
}

// OpenFS opens the checkpoint whose files (config.json, the weights, the
// tokenizer's files, and what sentence-transformers keeps beside them) are at the top of
// fsys.
func OpenFS(fsys fs.FS, opts ...Option) (*Engine, error) {
	if fsys == nil {
		return nil, modelErrorf("nil file system")
	}
	o, err := asked(opts)
	if err != nil {
		return nil, err
	}
	// The kind of model comes before its parts: of one that cannot be had that is said, and
	// not what its tokenizer lacks.
	spec, err := model.ReadSpec(fsys)
	if err == nil {
		err = spec.CheckHead()
	}
	if err != nil {
		return nil, unusable(err)
	}
	weights, err := spec.Load()
	if err != nil {
		return nil, unusable(err)
	}
	e, err := open(o, spec, weights)
	if err != nil {
		return nil, errors.Join(err, weights.Close())
	}
	return e, nil
}

func open(o options, spec *model.Spec, weights *model.Weights) (*Engine, error) {
	c := weights.Config
	if err := weights.CheckHead(); err != nil {
		return nil, unusable(err)
	}
	if o.maxLength > c.MaxPositions {
		return nil, fmt.Errorf("engine: max length %d tokens, the model takes %d", o.maxLength, c.MaxPositions)
	}
	tok, from, err := input.Tokenizer(spec, input.Asked{MaxLength: o.maxLength, Side: o.side})
	if err != nil {
		return nil, unusable(err)
	}
	if n := tok.VocabSize(); n > c.VocabSize {
		return nil, modelErrorf("the tokenizer has ids up to %d, config.json has vocab_size %d", n-1, c.VocabSize)
	}
	if n := tok.Types(); n > c.TypeVocabSize {
		return nil, modelErrorf("the tokenizer gives passages type %d, config.json has type_vocab_size %d: a tokenizer_config.json with \"model_input_names\": [\"input_ids\", \"attention_mask\"] gives every token type 0", n-1, c.TypeVocabSize)
	}
	prompts, err := newPrompting(spec.Input, &o)
	if err != nil {
		return nil, err
	}
	warnings := slices.Concat(weights.Warnings, tok.Warnings())
	e := &Engine{options: o, tokenizer: tok, prompts: prompts, weights: weights}
	e.drained, e.closed, e.quiet = make(chan struct{}), make(chan struct{}), make(chan struct{})
	e.idleCalls.New = func() any { return &call{done: make(chan struct{}, 1)} }
	e.queue.average = usualTokens
	e.tokenizing, e.forward = newStage("tokenize"), newStage("forward")
	e.info = Info{Config: c, Parameters: weights.Parameters(), MaxLength: tok.MaxLength(), MaxLengthFrom: from, Truncation: tok.Truncation().Strategy.String(), Warnings: warnings,
		Prompts: prompts.input.Prompts, DefaultPrompt: prompts.input.DefaultPrompt}
	for _, w := range warnings {
		o.logger.Warn("checkpoint", "warning", w)
	}
	opened := false
	err = weights.Guard(func() error {
		if err := e.openDevice(); err != nil {
			return err
		}
		opened = true
		weights.Release() // what the device has packed is not read again
		if d, ok := e.device.(model.Detacher); ok {
			e.detached = d.Detach(weights)
		}
		return nil
	})
	if errors.Is(err, safetensors.ErrChanged) || errors.Is(err, safetensors.ErrTruncated) {
		err = unusable(err)
	}
	if err != nil {
		if opened {
			err = errors.Join(err, e.device.Close())
		}
		return nil, err
	}
	e.prepare()
	o.logger.Info("model opened", "layers", c.Layers, "hidden", c.HiddenSize, "device", e.info.Device,
		"precision", e.info.Precision, "workers", e.info.Workers, "max_length", e.info.MaxLength)
	return e, nil
}

// openDevice chooses the device and the precision, and says why in Info.
func (e *Engine) openDevice() (err error) {
	choose := func(device, precision, why string) {
		e.info.Device, e.info.Precision, e.info.Choices = device, precision, append(e.info.Choices, why)
	}
	switch device := e.options.device; device {
	case "reference":
		if p := e.options.precision; p != "auto" && p != "f64" {
			return fmt.Errorf("%w: precision %q on the reference, which has f64 alone", ErrDevice, p)
		}
		if isa := e.options.isa; isa != "auto" {
			return fmt.Errorf("%w: instruction set %q on the reference, which is plain Go", ErrDevice, isa)
		}
		choose("reference", "f64", "reference: float64, plain Go, by request")
		e.device = model.NewReference(e.weights, e.options.workers)
	case "metal":
		choose("metal", "f16", "metal: by request")
		err = e.openMetal()
	case "auto":
		var why string
		if why, err = e.tryMetal(); err != nil || e.device != nil {
			choose("metal", "f16", why)
			break
		}
		e.options.logger.Info("not on metal", "why", why)
		choose("cpu", "", why)
		err = e.openCPU()
	case "cpu":
		choose("cpu", "", "cpu: by request")
		err = e.openCPU()
	default:
		return fmt.Errorf("%w: %q, want auto, cpu, metal or reference", ErrDevice, device)
	}
	if err == nil {
		e.info.Workers = e.device.Passes()
	}
	return err
}

// prepare makes the engine ready for passes of the size that suits its device.
func (e *Engine) prepare() {
	e.fewestTokens, e.mostTokens = 1, 1024
	if d, ok := e.device.(model.PassSizer); ok {
		e.fewestTokens, e.mostTokens = d.PassTokens()
	}
	if asked := e.options.tokenBudget; asked != nil {
		e.mostTokens = *asked
	}
	e.fewestTokens = min(e.fewestTokens, e.mostTokens)
	_, e.interrupts = e.device.(model.Interrupter)
	e.idleRunners = nil
	for range e.device.Passes() {
		e.idleRunners = append(e.idleRunners, newRunner(e))
	}
}

// Info says what the engine is made of. The slices and the map are the caller's.
func (e *Engine) Info() Info {
	i := e.info
	i.Choices, i.Candidates, i.Warnings = slices.Clone(i.Choices), slices.Clone(i.Candidates), slices.Clone(i.Warnings)
	i.Prompts = maps.Clone(i.Prompts)
	return i
}

// PeakFLOPS measures, for a fraction of a second, how many floating-point
// operations a second the device does on all its passes at once when it reads
// and writes nothing: what FLOP/s are a share of. It is not known of every
// device, and is 0 on a closed engine.
func (e *Engine) PeakFLOPS() (flops float64, known bool) {
	device, ok := e.device.(model.PeakMeter)
	if !ok || e.enter() != nil {
		return 0, false
	}
	defer e.leave()
	return device.PeakFLOPS(), true
}

// TimeKernels begins to add up what each kernel of the device costs, in the
// passes that begin from then on: on the processor at well under 2 % of their time,
// on a GPU with each kernel apart, which is slower. The function
// that it returns, which is called once, ends that and returns the sums, none
// if the engine was closed meanwhile. Not every device can: known is false
// then, and on a closed engine. One timing at a time may be under way.
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

// Stats says what the engine has done so far, and what waits.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats
	s.WaitingCalls, s.WaitingPairs = e.queue.calls(), e.queue.pairs
	return s
}
