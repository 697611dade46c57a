package engine

import (
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// Option sets one thing about an Engine that is being opened. A nil Option sets nothing; if
// two set the same thing, the last one counts. Open returns an error for an invalid value,
// and ErrDevice for an unknown name. An Option may be used for any number of engines.
type Option func(*options)

type options struct {
	device, isa, precision string
	workers                int
	tokenBudget            *int            // nil: what suits the device
	maxLength              int             // 0: what the checkpoint's files say
	side                   *tokenizer.Side // nil: what the checkpoint's files say
	calibration            *string         // the file's path; nil: the default path; "": no file
	recalibrate, judgeAll  bool
	sigmoid                bool
	purpose                purpose
	logits                 bool
	dimensions             int               // 0: as many as the checkpoint's files say
	prompts                map[string]string // added to those of the checkpoint, and preferred to them
	defaultPrompt          *string           // nil: the checkpoint's default
	maxQueue               int               // 0: no limit
	maxWait                time.Duration     // 0: no limit
	observe                func(PassStats)
	logger                 *slog.Logger
}

// The smallest maximum lengths: [CLS] and two [SEP] of a pair, or one of a text.
const (
	fewestOfPair = 3
	fewestOfText = 2
)

func defaults() options {
	return options{
		device:    "auto",
		isa:       "auto",
		precision: "auto",
		workers:   runtime.GOMAXPROCS(0),
	}
}

// asked applies opts to the defaults.
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
	if n, least := o.maxLength, o.purpose.least(); n != 0 && n < least {
		return fmt.Errorf("engine: max length %d tokens, want at least %d, for the special tokens, or 0", n, least)
	}
	if s := o.side; s != nil && *s != tokenizer.TruncateRight && *s != tokenizer.TruncateLeft {
		return fmt.Errorf("engine: truncation side %d, want TruncateRight or TruncateLeft", *s)
	}
	if n := o.dimensions; n < 0 || n > 0 && o.purpose != embedding {
		return fmt.Errorf("engine: %d dimensions, want at least 1, or 0, with Embedder", n)
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
//     it and its results are close enough to the processor's; else the processor.
//     Info says which and why
//   - "cpu"
//   - "metal", an Apple GPU
//   - "reference", which is slow and computes in float64
func Device(name string) Option { return func(o *options) { o.device = name } }

// Precision chooses the arithmetic of the matrix products, which are nearly all of the work.
// The residual stream, LayerNorm, softmax and the head are float32 at every precision:
//
//   - "auto", the default: the fastest precision of the instruction set whose results are
//     close enough to float32's, see [Deviation]; never one that is slower than float32. Open
//     measures the speed on one layer, and the results on made-up pairs or texts of up to the
//     maximum length. This takes some tenths of a second, and is kept in a file for later
//     engines, see [CalibrationFile]. Info says what was chosen and why. If you need the same
//     bits on every machine, name one of the others
//   - "f32"
//   - "bf16x3": each float32 as the sum of two bfloat16. The scores are nearly those of
//     float32; it is fast on AMX tiles only
//   - "bf16": bfloat16
//   - "int8": 8-bit integers
//   - "f16": half precision, the only one on Metal; on the processor, arm64 with FEAT_FP16
//   - "f64": on the reference device only
func Precision(name string) Option { return func(o *options) { o.precision = name } }

// InstructionSet chooses the processor's instructions for the kernels. "auto", the default,
// is the best one that the processor has and the system permits. Others go by name, such as
// "avx2", or "generic" for plain Go; kernels.Available lists those of this processor. If a
// name is given, the device is the processor.
func InstructionSet(name string) Option { return func(o *options) { o.isa = name } }

// CalibrationFile sets the file in which the precision "auto" keeps what it has measured,
// by processor, instruction set, workers, model, its use and build of the program. An engine that
// finds its entry opens in a fraction of the time. "" means no file. The file belongs to
// the engine: missing folders on its path are made, and other content in it is replaced.
// The default is minilm-metal/calibration.json in the user's cache directory
// (os.UserCacheDir). A file that cannot be read or written is no error; Info says so.
func CalibrationFile(path string) Option { return func(o *options) { o.calibration = &path } }

// NoCalibrationFile makes the engine measure for itself, without reading or writing a file.
func NoCalibrationFile() Option { return CalibrationFile("") }

// Recalibrate makes "auto" measure again even if the calibration file has an entry, for
// example because the machine was busy when that was measured.
func Recalibrate() Option { return func(o *options) { o.recalibrate = true } }

// JudgeAll makes "auto" compare the results of every precision with float32's, also of those
// that are too slow to be chosen, so that Info.Candidates is complete. Opening takes
// longer.
func JudgeAll() Option { return func(o *options) { o.judgeAll = true } }

// Workers sets how many passes a CPU device runs at the same time, one a core; at least 1.
// The default is GOMAXPROCS. It has no effect on a GPU.
func Workers(n int) Option { return func(o *options) { o.workers = n } }

// TokenBudget sets the most tokens in one pass, at least 1. The default suits the device:
// 1024 on the processor, 4096 or 8192 on a GPU. A sequence that is longer gets a pass of
// its own.
func TokenBudget(tokens int) Option { return func(o *options) { o.tokenBudget = &tokens } }

// MaxLength sets the most tokens in a pair, special tokens included. Longer pairs are cut
// as Info's TruncationStrategy says. The default, 0, takes the length from
// sentence-transformers' files beside the checkpoint, else from model_max_length in
// tokenizer_config.json, but never more than the model has positions; Info says which. More
// tokens than positions is an error, and so are fewer than the special tokens: 3 of a pair, 2 of
// a text.
func MaxLength(tokens int) Option { return func(o *options) { o.maxLength = tokens } }

// Truncation sets the side on which a text that is too long loses tokens. The default is
// what the tokenizer's files say, else the right side. Which of the two texts is cut, the
// checkpoint decides.
func Truncation(side tokenizer.Side) Option { return func(o *options) { o.side = &side } }

// Sigmoid makes each score 1/(1+exp(-logit)), which is between 0 and 1, instead of the raw
// logit, unless a call has [RawScores]. The order stays the same, except that close scores may
// become equal in float32; [Engine.Rank] still tells them apart.
func Sigmoid() Option { return func(o *options) { o.sigmoid = true } }

// Embedder opens the model for [Engine.Embed], as SentenceTransformer of sentence-transformers
// would; without it, Open opens a cross-encoder, for scores.
func Embedder() Option { return func(o *options) { o.purpose = embedding } }

// Dimensions makes an embedding the first n values of what the checkpoint's modules make, in place
// of its own truncate_dim, as that argument of sentence-transformers does; they are no longer of
// unit length. More than there are is a *DimensionsError. 0, the default, is what the files say.
func Dimensions(n int) Option { return func(o *options) { o.dimensions = n } }

// Classifier opens the model for [Engine.Classify] and ClassifyPairs: one that sorts texts, or
// pairs of them, into classes, of any number of labels.
func Classifier() Option { return func(o *options) { o.purpose = classifying } }

// Logits makes Classify and ClassifyPairs return raw logits in place of probabilities, in all
// calls; [RawScores] does it in one.
func Logits() Option { return func(o *options) { o.logits = true } }

// MaxQueue limits how many pairs may wait; 0, the default, is no limit. A call that comes
// when so many wait returns an *OverloadError at once. At most 32 pairs of one call or
// stream are counted, because no matter how long it is, others wait for at most that much
// of it before it is their turn. So with a limit of 32 or less, one long call makes all
// others be refused. Calls of Background are counted apart, with the same limit, and do not
// keep others out.
func MaxQueue(pairs int) Option { return func(o *options) { o.maxQueue = pairs } }

// MaxWait limits how long a call may wait for its first pass to begin; after that it
// returns an *OverloadError. 0, the default, is no limit. It does not apply to streams and
// calls of Background, which are meant to wait.
func MaxWait(d time.Duration) Option { return func(o *options) { o.maxWait = d } }

// Observe makes the engine call f after each pass, on a goroutine that runs passes. So f
// must be quick and safe for concurrent use, and it may call only Stats and Info of the
// engine, because others may wait for that goroutine. A panic in f is logged. The default,
// nil, is no observer.
//
// Go's own profiles also tell the stages apart: the goroutine of a pass carries the label
// stage=tokenize or stage=forward and, if the whole pass belongs to one call, the labels of
// that call's context. An execution trace has a task for each call, with regions for these
// stages and for the time in the queue.
func Observe(f func(PassStats)) Option { return func(o *options) { o.observe = f } }

// Logger sets where the engine logs what it chose and what went wrong. The default, nil, is
// nowhere.
func Logger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }
