package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"time"
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
	// maxBatch, maxPairs and maxConcurrency are far above any use: a larger number is a
	// typing error, and would cost memory.
	maxBatch       = 1 << 16
	maxPairs       = 1 << 22
	maxConcurrency = 1 << 12
)

// ErrOptions is in every error about options that ask for something impossible.
var ErrOptions = errors.New("bench: bad options")

// Options say what to measure. Only Model.Files must be set.
type Options struct {
	Name        string   // title of the report; empty: the model, the device and the precision
	Description string   // the line below it
	Args        []string // the command line, for the record

	Model   Checkpoint
	Dataset string // a JSON Lines file of texts, as package jsonl reads them; empty: built in
	Pairs   int    // for each configuration; 0: DefaultPairs

	Device, Precision string // as in engine; empty: "auto"
	InstructionSet    string // as in engine, for the measured engine; empty: "auto"
	CalibrationFile   string // as in engine; empty: none
	Workers           int    // 0: the engine's default
	// The configurations are all combinations of a batch size and a concurrency (the most
	// calls under way). None: DefaultBatch, DefaultCallers.
	Batches, Concurrencies []int
	// Rate makes the load an open loop of that many pairs a second, in Poisson arrivals of
	// whole batches. 0 means a closed loop.
	Rate float64

	// Mix and Overload are scenarios, which are measured instead of the configurations. At
	// most one may be set.
	Mix      *MixOptions      // nil: not measured
	Overload *OverloadOptions // nil: not measured
	// MaxQueue is how many pairs may wait in the measured engine, as in engine. 0 means any
	// number, but for Overload DefaultMaxQueue.
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
	Logger   *slog.Logger // nil: nowhere

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
	}
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
	case !(o.Rate >= 0) || math.IsInf(o.Rate, 0):
		return o, fmt.Errorf("%w: rate %v pairs/s, want 0 (closed loop) or more", ErrOptions, o.Rate)
	}
	if err := o.scenarioDefaults(); err != nil {
		return o, err
	}
	for _, n := range o.Batches {
		if n < 1 || n > maxBatch {
			return o, fmt.Errorf("%w: batch of %d pairs, want 1 to %d", ErrOptions, n, maxBatch)
		}
	}
	for _, n := range o.Concurrencies {
		if n < 1 || n > maxConcurrency {
			return o, fmt.Errorf("%w: concurrency %d, want 1 to %d", ErrOptions, n, maxConcurrency)
		}
	}
	return o, nil
}
