package engine

import (
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// Option sets one thing about an Engine that is being opened. nil sets nothing, and of two
// that set the same the last counts. A value that cannot be is an error of Open, and
// ErrDevice where it is a name that is not known here. An Option may serve any number of
// engines.
type Option func(*options)

type options struct {
	device, isa, precision string
	workers                int
	tokenBudget            *int            // nil: the device's own
	maxLength              int             // 0: what the tokenizer files say
	side                   *tokenizer.Side // nil: what the tokenizer files say
	calibration            *string         // the file; nil: in the user's cache directory, "": none
	recalibrate, judgeAll  bool
	sigmoid                bool
	prompts                map[string]string // beside those of the checkpoint, and before them
	defaultPrompt          *string           // nil: the checkpoint's
	maxQueue               int               // 0: no limit
	maxWait                time.Duration     // 0: no limit
	observe                func(PassStats)
	logger                 *slog.Logger
}

func defaults() options {
	return options{
		device:    "auto",
		isa:       "auto",
		precision: "auto",
		workers:   runtime.GOMAXPROCS(0),
	}
}

// asked returns what opts ask for, and defaults for the rest.
func asked(opts []Option) (options, error) {
	o := defaults()
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	if o.observe == nil {
		o.observe = func(PassStats) {}
	}
	if o.logger == nil {
		o.logger = slog.New(slog.DiscardHandler)
	}
	return o, o.check()
}

func (o *options) check() error {
	if o.workers < 1 {
		return fmt.Errorf("engine: %d workers, want at least 1", o.workers)
	}
	if b := o.tokenBudget; b != nil && *b < 1 {
		return fmt.Errorf("engine: token budget %d, want at least 1", *b)
	}
	if n := o.maxLength; n < 0 || n > 0 && n < 3 {
		return fmt.Errorf("engine: max length %d tokens, want at least 3, for the special tokens, or 0", n)
	}
	if s := o.side; s != nil && *s != tokenizer.TruncateRight && *s != tokenizer.TruncateLeft {
		return fmt.Errorf("engine: truncation side %d, want TruncateRight or TruncateLeft", *s)
	}
	if o.maxQueue < 0 {
		return fmt.Errorf("engine: max queue %d pairs, want at least 1, or 0 for any number", o.maxQueue)
	}
	if o.maxWait < 0 {
		return fmt.Errorf("engine: max wait %v, want more than 0, or 0 for ever", o.maxWait)
	}
	return nil
}

// Device chooses the hardware:
//
//   - "auto", the default: the GPU on a Mac with Apple silicon, if this build can use
//     it and its scores are close enough to the processor's; else the processor.
//     Info says which and why
//   - "cpu"
//   - "metal", an Apple GPU
//   - "reference", which is slow and computes in float64
func Device(name string) Option { return func(o *options) { o.device = name } }

// Precision chooses the arithmetic of the products, nearly all there is; the
// residual stream, LayerNorm, softmax and the head are float32 at every precision:
//
//   - "auto", the default: the fastest of those that the instruction set has whose
//     scores are close enough to float32's, and never one that is slower than
//     float32. Speed is measured on one layer and scores on pairs made up from the
//     vocabulary, of up to the most tokens, in some tenths of a second; both are kept for
//     engines to come, see [CalibrationFile]. Info says which, and why. Who needs the same
//     bits everywhere names one of the others
//   - "f32"
//   - "bf16x3", float32 as the sum of two bfloat16: nearly float32's scores, where tiles
//     make it fast
//   - "bf16", bfloat16
//   - "int8", integers of 8 bits
//   - "f16", which is all that Metal has, and on the processor arm64 with FEAT_FP16
//   - "f64", on the reference
func Precision(name string) Option { return func(o *options) { o.precision = name } }

// InstructionSet chooses the processor's instructions that the kernels are made of:
// "auto", the default, is the best that the processor has and the system permits;
// others are asked for by name, such as "avx2" or "generic", plain Go
// (kernels.Available lists those of this processor). With a name, the device is the processor.
func InstructionSet(name string) Option { return func(o *options) { o.isa = name } }

// CalibrationFile says where the precision "auto" keeps what it has measured and
// judged, by processor, instruction set, workers, model and build of the program: an
// engine that finds itself there opens in a fraction of the time. "" is nowhere. The file
// is the engine's own: folders on its path are made, and what else is in it is replaced.
// The default is minilm-metal/calibration.json in the user's cache directory
// (os.UserCacheDir). A file that cannot be read or written is no error; Info says so.
func CalibrationFile(path string) Option { return func(o *options) { o.calibration = &path } }

// NoCalibrationFile makes the engine measure for itself, and neither read nor write a
// file.
func NoCalibrationFile() Option { return CalibrationFile("") }

// Recalibrate has "auto" measure anew what it finds in the calibration file, such as
// where the machine had other work to do when that was measured.
func Recalibrate() Option { return func(o *options) { o.recalibrate = true } }

// JudgeAll has "auto" judge the scores of every precision, also of those that are too
// slow to be taken: for those who want to know. Opening takes longer.
func JudgeAll() Option { return func(o *options) { o.judgeAll = true } }

// Workers sets how many passes a CPU device runs at once, one core each, at least 1. The
// default is GOMAXPROCS. A GPU has its own number.
func Workers(n int) Option { return func(o *options) { o.workers = n } }

// TokenBudget sets the most tokens in one pass, at least 1. The default is what suits the device:
// 1024 on the processor, 4096 or 8192 on a GPU. A longer sequence has a pass to itself.
func TokenBudget(tokens int) Option { return func(o *options) { o.tokenBudget = &tokens } }

// MaxLength sets the most tokens in a pair, special tokens included; longer
// pairs are cut, longest text first unless the checkpoint says which text. 0, the default,
// is what sentence-transformers' files beside the checkpoint say, else model_max_length of
// tokenizer_config.json, as far as the model has positions; Info says which it is. More than
// the positions is an error, and less than the special tokens.
func MaxLength(tokens int) Option { return func(o *options) { o.maxLength = tokens } }

// Truncation sets the side on which too long texts lose tokens. The default is
// what the tokenizer's files say, the right one where they are silent.
func Truncation(side tokenizer.Side) Option { return func(o *options) { o.side = &side } }

// Sigmoid makes scores 1/(1+exp(-logit)), between 0 and 1, instead of raw
// logits. The order stays the same, up to ties where float32 has no more
// digits.
func Sigmoid() Option { return func(o *options) { o.sigmoid = true } }

// MaxQueue sets how many pairs may wait, 0 being any number, the default. A call that
// finds so many waiting returns an *OverloadError at once. Of one call, or stream, at most
// 32 are counted: however long it is, others wait for no more of it before their turn
// comes; so a limit of 32 or less refuses everybody beside one long call. Calls of
// Background are counted by themselves, with the same limit, and keep no others out.
func MaxQueue(pairs int) Option { return func(o *options) { o.maxQueue = pairs } }

// MaxWait sets how long a call may wait for its first pass to begin, 0 being for ever,
// the default; after that it returns an *OverloadError. It is not for streams, nor for
// calls of Background, which are meant to wait.
func MaxWait(d time.Duration) Option { return func(o *options) { o.maxWait = d } }

// Observe calls f after each pass, on a goroutine that has passes to run: f must be
// quick, and safe for concurrent use, and of the engine it may call Stats and Info alone,
// since others may wait for that goroutine. What it panics with is logged. nil, the
// default, is nobody.
//
// Go's own profiles tell stages apart too: the goroutine of a pass carries the label
// stage=tokenize or stage=forward, and where all of the pass is one call's, the labels of
// that call's context too. Execution traces have a task for each call, with regions for
// these stages and for the wait before the first (queue).
func Observe(f func(PassStats)) Option { return func(o *options) { o.observe = f } }

// Logger says where the engine reports what it chose and what went wrong. nil, the
// default, is nowhere.
func Logger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }
