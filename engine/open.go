package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/input"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// Open opens a checkpoint: a directory, or a hub id such as
// "cross-encoder/ms-marco-MiniLM-L-6-v2" in the local Hugging Face cache. It never
// downloads anything. The checkpoint is that of a cross-encoder, unless one of the options
// [Embedder] and [Classifier] says otherwise.
//
// Errors about the checkpoint are ErrModel, errors about the device or precision asked for
// are ErrDevice, and an unknown name of DefaultPrompt is ErrPrompt.
//
// To update the weights' file while an engine is open, rename a new file over it. The
// reference device and the plain Go kernels read the file all the time: if it is
// overwritten or cut short in place, their calls end with ErrModel. All other devices have
// made their own copy before Open returns.
func Open(path string, opts ...Option) (*Engine, error) {
	o, err := asked(opts)
	if err != nil {
		return nil, err
	}
	fsys, err := find(path, o.purpose == scoring)
	if err != nil {
		return nil, unusable(err)
	}
	return OpenFS(fsys, opts...)
}

// OpenFS is Open for a file system: the checkpoint's files (config.json, the weights, the
// tokenizer's files, and the files that sentence-transformers writes beside them) are at
// the top of fsys.
func OpenFS(fsys fs.FS, opts ...Option) (*Engine, error) {
	if fsys == nil {
		return nil, modelErrorf("nil file system")
	}
	o, err := asked(opts)
	if err != nil {
		return nil, err
	}
	// Check the kind of model first: for a model that cannot be used, the error should say
	// so and not complain of its tokenizer.
	read := model.ReadSpec
	if o.purpose == embedding {
		read = model.ReadEmbedder
	}
	spec, err := read(fsys)
	if err == nil && o.purpose == scoring {
		err = spec.CheckHead()
	}
	if err != nil {
		return nil, unusable(err)
	}
	if o.dimensions > 0 {
		if most := spec.Cut(o.dimensions); o.dimensions > most {
			return nil, &DimensionsError{o.dimensions, most}
		}
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

// open makes the engine of a checkpoint's parts: what its results mean, how texts become tokens,
// what Info says of both, and the device.
func open(o options, spec *model.Spec, weights *model.Weights) (*Engine, error) {
	e := &Engine{options: o, weights: weights}
	e.drained, e.closed, e.quiet = make(chan struct{}), make(chan struct{}), make(chan struct{})
	e.idleCalls.New = func() any { return &call{done: make(chan struct{}, 1)} }
	e.queue.average = usualTokens
	e.tokenizing, e.forward = newStage("tokenize"), newStage("forward")
	if err := e.openHead(spec); err != nil {
		return nil, err
	}
	if err := e.openTokenizer(spec); err != nil {
		return nil, err
	}
	e.describe(spec)
	for _, w := range e.info.Warnings {
		o.logger.Warn("checkpoint", "warning", w)
	}
	if err := e.load(); err != nil {
		return nil, err
	}
	e.prepare()
	o.logger.Info("model opened", "layers", weights.Config.Layers, "hidden", weights.Config.HiddenSize, "device", e.info.Device,
		"precision", e.info.Precision, "workers", e.info.Workers, "max_length", e.info.MaxLength)
	return e, nil
}

// openHead checks that the model has the head that the purpose needs, and notes its size.
func (e *Engine) openHead(spec *model.Spec) error {
	var err error
	switch e.options.purpose {
	case scoring:
		err = e.weights.CheckHead()
	case classifying:
		if err = e.weights.CheckClassifier(); err == nil {
			e.meaning, err = spec.Meaning(e.weights.Config.Labels)
		}
	}
	if err != nil {
		return unusable(err)
	}
	head := e.weights.Head
	e.width = head.Out(e.weights.Config.HiddenSize * len(head.Pool))
	e.last = model.LastRows(head.Reductions(nil, &model.Batch{}, nil))
	return nil
}

// openTokenizer makes the tokenizer and the prompts, and checks that the model has a row for
// whatever the tokenizer can give it.
func (e *Engine) openTokenizer(spec *model.Spec) error {
	c, asked := &e.weights.Config, e.options.maxLength
	if asked > c.MaxPositions {
		return fmt.Errorf("engine: max length %d tokens, the model takes %d", asked, c.MaxPositions)
	}
	tok, from, err := input.Tokenizer(spec, input.Asked{MaxLength: asked, Side: e.options.side})
	if err != nil {
		return unusable(err)
	}
	if n, least := tok.MaxLength(), e.options.purpose.least(); n < least {
		return modelErrorf("%s: %d tokens, want at least %d, for the special tokens of a pair", from, n, least)
	}
	e.singles = unusable(tok.CheckText())
	if alone := e.options.purpose == embedding || e.weights.Head.SkipPrompt; alone && e.singles != nil { // a prompt is a text by itself
		return e.singles
	}
	if n := tok.VocabSize(); n > c.VocabSize {
		return modelErrorf("the tokenizer has ids up to %d, config.json has vocab_size %d", n-1, c.VocabSize)
	}
	if n := tok.Types(); n > c.TypeVocabSize {
		return modelErrorf("the tokenizer gives passages type %d, config.json has type_vocab_size %d: a tokenizer_config.json with \"model_input_names\": [\"input_ids\", \"attention_mask\"] gives every token type 0", n-1, c.TypeVocabSize)
	}
	e.tokenizer, e.info.MaxLengthFrom = tok, from
	e.prompts, err = newPrompting(spec.Input, &e.options)
	return err
}

// describe fills in what Info says of the checkpoint; the device adds what it knows.
func (e *Engine) describe(spec *model.Spec) {
	i, weights, tok := &e.info, e.weights, e.tokenizer
	similar, odd := similarity(spec)
	i.Config, i.Parameters, i.WeightsFormat = weights.Config, weights.Parameters(), weights.Format()
	i.MaxLength = tok.MaxLength()
	i.TruncationStrategy, i.TruncationSide = tok.Truncation().Strategy.String(), tok.Truncation().Side.String()
	i.Prompts, i.DefaultPrompt = e.prompts.input.Prompts, e.prompts.input.DefaultPrompt
	i.Warnings = slices.Concat(weights.Warnings, tok.Warnings(), odd)
	switch e.options.purpose {
	case scoring:
		i.Sigmoid = weights.Config.Activation == model.Sigmoid
	case embedding:
		i.Dimensions, i.Modules, i.Similarity = e.width, spec.Modules(), similar
	case classifying:
		i.Labels, i.Final = e.meaning.Labels, e.meaning.Final
	}
}

// load opens the device, which reads the weights, and lets go of them where it has made its own copy.
func (e *Engine) load() error {
	opened := false
	err := e.weights.Guard(func() error {
		if err := e.openDevice(); err != nil {
			return err
		}
		opened = true
		e.weights.Release() // the device has its own copy
		if d, ok := e.device.(model.Detacher); ok {
			e.detached = d.Detach(e.weights)
		}
		return nil
	})
	if errors.Is(err, safetensors.ErrChanged) || errors.Is(err, safetensors.ErrTruncated) {
		err = unusable(err)
	}
	if err != nil && opened {
		err = errors.Join(err, e.device.Close())
	}
	return err
}
