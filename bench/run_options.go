package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/remote"
)

// Defaults of Options. The first three are those of the seed report; the time bound keeps a
// run under two minutes on two slow cores.
const (
	DefaultPairs     = 3200
	DefaultBatch     = 32
	DefaultCallers   = 1
	DefaultTimeBound = 100 * time.Second
)

const (
	// MaxConcurrency is the most calls under way. It, maxBatch, maxPairs and maxRate, in
	// pairs/s, are far above any use: a larger number is a typing error, and would cost
	// memory, as all arrivals are fixed before a run.
	MaxConcurrency = 1 << 12
	maxBatch       = 1 << 16
	maxPairs       = 1 << 22
	maxRate        = 1e6

	// longestGap is the most between two arrivals, in the mean, and the longest bound of a
	// latency. With much more a run would last longer than its recording can say.
	longestGap = time.Hour
)

// ErrOptions is in every error about options that ask for something impossible.
var ErrOptions = errors.New("bench: bad options")

// Options say what to measure. Only Model.Files must be set.
type Options struct {
	Name        string   // title of the report; empty: the model, the device and the precision
	Description string   // the line below it
	Args        []string // the command line, for the record

	Model Checkpoint
	// Embed measures embeddings of single texts. Measure sets it for a model that makes no
	// scores. What counts pairs then counts texts.
	Embed   bool
	Dataset string // a JSON Lines file of texts, as package jsonl reads them; empty: built in
	Pairs   int    // for each configuration; 0: DefaultPairs
	// Judged is a JSON Lines file of pairs with exact logits, and with what people found of
	// the passages, that each precision is compared with: see readJudged; empty: none.
	Judged string

	Device, Precision string // as in engine; empty: "auto"
	InstructionSet    string // as in engine, for the measured engine; empty: "auto"
	CalibrationFile   string // as in engine; empty: none
	Workers           int    // 0: the engine's default
	// The configurations are all batch sizes with all concurrencies (calls under
	// way at most). None: DefaultBatch, DefaultCallers; in an open loop callers that never
	// run out.
	Batches, Concurrencies []int
	// Precisions are swept, each with an engine of its own and a gate of its own; none:
	// Precision alone. Lengths are swept too: text that is cut or lengthened until each pair
	// has so many tokens; none: the text as it is.
	Precisions []string
	Lengths    []int
	// Rate makes the load an open loop of so many pairs a second, in Poisson
	// arrivals of whole batches. 0: closed loop.
	Rate float64

	// Server is measured in the engine's place; nil: the engine. Model must be the model that
	// it serves: for the reference's scores, and to count tokens.
	Server *remote.Client

	// Mix, Overload, Load and Ablate are scenarios, measured in the place of the
	// configurations; one of them at most.
	Mix      *MixOptions      // nil: not
	Overload *OverloadOptions // nil: not
	Load     *LoadOptions     // nil: not
	Ablate   *AblateOptions   // nil: not
	// MaxQueue is how many pairs may wait in the engine that is measured, as in engine;
	// 0: any number, but DefaultMaxQueue for Overload.
	MaxQueue int

	// TimeBound is the time for all of Measure: loading, gate, warm-up and measurement. A
	// batch that would end later is not started (except one for each configuration), and
	// the recording says how many pairs were scored. 0 means DefaultTimeBound; a negative
	// value means no bound.
	TimeBound time.Duration

	// Profile makes the device time its kernels while the batches are measured, but not in
	// the warm-up: see report.WriteProfile.
	Profile bool
	// Stages asks what each kernel costs, without touching the measurement: after each
	// configuration, more batches are scored for that, for about 5 s at most and within the
	// time bound. See Run.Stages.
	Stages bool

	// Progress, if not nil, is called with the progress of the current stage. It is called
	// by one goroutine at a time, and should be quick.
	Progress func(stage string, done, total int)
	// Live hears twice a second how the measurement that is under way goes, from a goroutine
	// of its own, and nil when it is over. May be nil.
	Live   func(*Live)
	Logger *slog.Logger // nil: nowhere

	// openVariant opens an engine that a variant of an ablation is scored by.
	openVariant func(*recording.AblationVariant) (tokenScorer, error)

	passes *passCount // counts the passes of the measured engine; nil if no scenario needs it
}

// Checkpoint is the model to measure.
type Checkpoint struct {
	Files     fs.FS  // config.json, weights and tokenizer files at its top
	ID        string // as the user named it
	Synthetic bool   // made from a seed, not trained
}

// withDefaults returns o with zero values replaced by defaults, or an error about an
// invalid value.
func (o Options) withDefaults() (Options, error) {
	if o.Pairs == 0 {
		o.Pairs = DefaultPairs
	}
	if len(o.Batches) == 0 {
		o.Batches = []int{DefaultBatch}
	}
	if len(o.Concurrencies) == 0 {
		o.Concurrencies = []int{DefaultCallers}
		if o.Rate > 0 { // callers that never run out
			o.Concurrencies = []int{MaxConcurrency}
		}
	}
	if len(o.Precisions) == 0 {
		o.Precisions = []string{o.Precision}
	}
	o.Precision = o.Precisions[0]
	if o.TimeBound == 0 {
		o.TimeBound = DefaultTimeBound
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	switch {
	case o.Model.Files == nil:
		return o, fmt.Errorf("%w: no model", ErrOptions)
	case o.Pairs < 0:
		return o, fmt.Errorf("%w: %d pairs, want at least 1", ErrOptions, o.Pairs)
	case o.Dataset == "" && o.Pairs > maxPairs:
		return o, fmt.Errorf("%w: %d pairs of the built-in text, want at most %d", ErrOptions, o.Pairs, maxPairs)
	case o.Workers < 0:
		return o, fmt.Errorf("%w: %d workers, want at least 1", ErrOptions, o.Workers)
	case !(o.Rate >= 0 && o.Rate <= maxRate):
		return o, fmt.Errorf("%w: rate %v pairs/s, want 0 (closed loop) or more, and at most %v", ErrOptions, o.Rate, float64(maxRate))
	}
	if err := errors.Join(o.scenarioDefaults(), o.ablateDefaults(), o.serverDefaults(), o.embedderDefaults()); err != nil {
		return o, err
	}
	for i, p := range o.Precisions {
		if len(o.Precisions) > 1 && (p == "" || slices.Contains(o.Precisions[:i], p)) {
			return o, fmt.Errorf("%w: precisions %q, want each once", ErrOptions, o.Precisions)
		}
	}
	for i, n := range o.Lengths {
		if n < shortestText || slices.Contains(o.Lengths[:i], n) {
			return o, fmt.Errorf("%w: lengths %v, want at least %d tokens, each once", ErrOptions, o.Lengths, shortestText)
		}
	}
	for _, n := range o.Batches {
		if n < 1 || n > maxBatch {
			return o, fmt.Errorf("%w: batch of %d pairs, want 1 to %d", ErrOptions, n, maxBatch)
		}
		if o.Rate > 0 && float64(n)/o.Rate > longestGap.Seconds() {
			return o, fmt.Errorf("%w: rate %v pairs/s: batches of %d would be more than %v apart", ErrOptions, o.Rate, n, longestGap)
		}
	}
	for _, n := range o.Concurrencies {
		if n < 1 || n > MaxConcurrency {
			return o, fmt.Errorf("%w: concurrency %d, want 1 to %d", ErrOptions, n, MaxConcurrency)
		}
	}
	return o, nil
}
