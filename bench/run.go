package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
)

const (
	// arrivalSeed makes the arrivals of an open loop the same in every run.
	arrivalSeed = 1
	// The gate may take this share of the time bound. The warm-up of a configuration may
	// take this share of its time, but at most this long.
	accuracyShare = 0.12
	warmUpShare   = 0.15
	warmUpLongest = 30 * time.Second
	// An open loop has callers without number, of which so many warm the engine up.
	warmUpCallers = 4
	// longestArrivals is for open loops that nothing else bounds.
	longestArrivals = 366 * 24 * time.Hour
	// An open loop that served less than this share of what was offered was
	// not in a steady state.
	overloaded = 0.95
)

// Measure measures a model on the machine that it runs on: cold start, then the
// accuracy gate, then each configuration or the scenario, warmed up first.
//
// Scores that fail the gate are not timed: Measure returns the recording without runs, and
// ErrInaccurate. If ctx is cancelled, Measure returns the recording so far, with a note, and
// ctx's error; without a single complete batch the recording is nil. If the device fails while
// its stages are timed, Measure returns the recording, with a note, and the error.
func Measure(ctx context.Context, o Options) (*recording.Recording, error) {
	o.Embed = o.Embed || o.Model.Embeds()
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	o.openVariant = o.engineOf
	return run(ctx, o, o.served(ctx, func(device, precision string) (scorer, error) {
		opts := []engine.Option{engine.CalibrationFile(o.CalibrationFile)}
		if o.Logger != nil {
			opts = append(opts, engine.Logger(o.Logger))
		}
		if device != "" {
			opts = append(opts, engine.Device(device))
		}
		if precision != "" {
			opts = append(opts, engine.Precision(precision))
		}
		// The reference, which the gate compares with, has none of these.
		if device != "reference" || o.Device == device {
			if o.InstructionSet != "" {
				opts = append(opts, engine.InstructionSet(o.InstructionSet))
			}
			if o.MaxQueue > 0 {
				opts = append(opts, engine.MaxQueue(o.MaxQueue))
			}
			if o.passes != nil {
				opts = append(opts, engine.Observe(o.passes.add))
			}
		}
		if o.Workers > 0 {
			opts = append(opts, engine.Workers(o.Workers))
		}
		return o.openEngine(opts)
	}))
}

// openEngine opens the model for what it makes.
func (o *Options) openEngine(opts []engine.Option) (scorer, error) {
	if o.Embed {
		opts = append(opts, engine.Embedder())
	}
	e, err := engine.OpenFS(o.Model.Files, opts...)
	switch {
	case err != nil:
		return nil, err
	case o.Embed:
		return textEngine{e}, nil
	}
	return pairEngine{e}, nil
}

// openText reads the text that is measured, n pairs or texts of it at most.
func (o *Options) openText(n int) (*workload, error) {
	if o.Embed {
		return openTexts(o.Dataset, n)
	}
	return openWorkload(o.Dataset, n)
}

// session is one call of Measure.
type session struct {
	Options
	open     func(device, precision string) (scorer, error)
	deadline time.Time // zero if there is none
	work     *workload
	engine   scorer
	rec      *recording.Recording
	judged   []judgedQuery // as in rec.Judged, with their texts
	exact    *exactTexts   // nil: no embeddings in float32 were needed so far
	sweep    sweep
}

func run(ctx context.Context, o Options, open func(device, precision string) (scorer, error)) (_ *recording.Recording, err error) {
	begun := time.Now()
	o, err = o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &session{Options: o, open: open}
	if o.TimeBound > 0 {
		s.deadline = begun.Add(o.TimeBound)
	}
	s.rec = &recording.Recording{
		Schema: recording.SchemaVersion, Revision: recording.Revision, Name: o.Name, Description: o.Description, Started: begun, Task: o.task(),
		Model: recording.Model{ID: o.Model.ID, Synthetic: o.Model.Synthetic}, Backend: "minilm-metal",
		Environment: NewEnvironment(o.Args),
	}
	if s.work, err = o.openText(o.Pairs); err != nil {
		return nil, err
	}
	if err := errors.Join(s.groupQueries(), s.openJudged()); err != nil {
		return nil, err
	}
	if err := phase(ctx, "load", s.coldStart); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.closeEngine()) }()
	if err := s.describe(); err != nil {
		return nil, err
	}
	sweep := len(s.Precisions) > 1
	if err := s.checkScores(ctx); errors.Is(err, ErrInaccurate) && !sweep {
		s.note("The scores failed the accuracy gate, so nothing was timed.")
		return s.rec, err
	} else if err != nil && !errors.Is(err, ErrInaccurate) {
		return nil, err
	}
	switch {
	case s.Mix != nil:
		err = phase(ctx, "mix", s.measureMix)
	case s.Overload != nil:
		err = phase(ctx, "overload", s.measureOverload)
	case s.Load != nil:
		err = phase(ctx, "load", s.measureLoad)
	case s.Ablate != nil:
		err = phase(ctx, "ablation", s.measureAblation)
	case sweep:
		err = s.measurePrecisions(ctx)
	default:
		err = s.measureAll(ctx, 1)
	}
	s.rec.CutShort = ctx.Err() != nil
	s.noteProfile()
	none := len(s.rec.Runs) == 0 && s.rec.Mix == nil && s.rec.Overload == nil && s.rec.Load == nil && s.rec.Ablation == nil
	if errors.Is(err, ErrInaccurate) { // of some precision of a sweep
		return s.rec, err
	}
	if err != nil && (ctx.Err() == nil && !errors.Is(err, errStages) && !errors.Is(err, errSweep) || none) {
		return nil, err
	}
	return s.rec, err
}

func (s *session) note(format string, args ...any) {
	s.rec.Notes = append(s.rec.Notes, fmt.Sprintf(format, args...))
}

// coldStart opens the engine and scores one pair: the first things that a new process would
// do with the model.
func (s *session) coldStart(ctx context.Context) (err error) {
	s.Progress("load", 0, 1)
	begun := time.Now()
	if s.engine, err = s.open(s.Device, s.Precision); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	s.rec.ColdStart.Load = time.Since(begun)
	begun = time.Now()
	if _, _, err = s.engine.ScoreStats(ctx, nil, s.work.pairs[:1]); err != nil {
		return errors.Join(fmt.Errorf("bench: first score: %w", err), s.closeEngine())
	}
	s.rec.ColdStart.FirstScore = time.Since(begun)
	s.Progress("load", 1, 1)
	return nil
}

// peakMeter is implemented by an engine whose device can measure its peak rate.
type peakMeter interface {
	// PeakFLOPS measures floating-point operations a second, all passes at
	// once.
	PeakFLOPS() (flops float64, known bool)
}

// describe fills in what the recording says about the model and the data set. It hashes the
// files after the cold start, because reading them would warm it.
func (s *session) describe() (err error) {
	info := s.engine.Info()
	if s.Server != nil {
		s.rec.Backend = s.Server.About().Dialect
	}
	s.rec.Device, s.rec.Precision = info.Device, info.Precision
	s.rec.Environment.Workers, s.rec.Environment.InstructionSet = info.Workers, info.InstructionSet
	if gpu, ok := s.engine.(GPUMeter); ok {
		s.rec.Environment.GPU = gpu.GPUName()
	}
	if len(info.Choices) > 0 {
		s.note("Chosen: %s.", strings.Join(info.Choices, "; "))
	}
	for _, w := range info.Warnings {
		s.note("The checkpoint: %s.", w)
	}
	if s.rec.Name == "" {
		precision := info.Precision
		if len(s.Precisions) > 1 {
			precision = strings.Join(s.Precisions, ", ")
		}
		s.rec.Name = fmt.Sprintf("%s: %s on %s, %s", s.rec.Backend, s.rec.Model.ID, info.Device, precision)
	}
	m := &s.rec.Model
	m.Layers, m.Hidden, m.Parameters = info.Config.Layers, info.Config.HiddenSize, info.Parameters
	if m.WeightsSHA256, err = weightsSHA256(s.Model.Files); err != nil {
		return err
	}
	if m.TokenizerSHA256, err = tokenizerSHA256(s.Model.Files); err != nil {
		return err
	}
	if s.Profile || s.Stages { // fail now, not after the warm-up
		stop, err := s.timeKernels()
		if err != nil {
			return fmt.Errorf("%w: %w, for a profile or for stages", ErrOptions, err)
		}
		stop()
	}
	if err := errors.Join(s.work.measureLengths(s.engine), s.measureTexts()); err != nil {
		return err
	}
	s.rec.Dataset = s.work.dataset()

	if m.Synthetic {
		s.note("The weights are synthetic, made from a seed: timings hold, scores mean nothing.")
	}
	s.note("Cold start is the first opening and the first score in this process, which was running already; the model's files may have been in the system's cache.")
	if n := len(s.work.pairs); n < s.Pairs {
		s.note("The data set has %d %s, fewer than the %d asked for: it was read round and round.", n, s.noun(), s.Pairs)
	}
	if e := &s.rec.Environment; busy(e) {
		s.note("The machine was busy or unsteady before the run (load average %s on %d cores, noise %s): compare with care.",
			measured(e.Load1, "%.1f", 1), e.Cores, measured(e.Noise, "%.0f %%", 100))
	}
	s.describeServer()
	if s.rec.Peak = s.peak(); s.rec.Peak == nil && s.Server == nil {
		s.note("The device's peak rate was not measured, so no share of it is given.")
	}
	return nil
}

// peak measures the device's peak rate in FLOP/s; nil: it cannot.
func (s *session) peak() *float64 {
	if device, ok := s.engine.(peakMeter); ok {
		if peak, known := device.PeakFLOPS(); known {
			return &peak
		}
	}
	return nil
}

// closeEngine closes the engine that is open, if one is.
func (s *session) closeEngine() error {
	if s.engine == nil {
		return nil
	}
	err := s.engine.Close()
	s.engine = nil
	return err
}

// checkScores tries the accuracy gate, and compares the engine's scores of judged pairs with
// their logits, also if the gate is not passed: they show where it is off.
func (s *session) checkScores(ctx context.Context) error {
	err := phase(ctx, "accuracy", s.gate)
	if err == nil || errors.Is(err, ErrInaccurate) {
		err = errors.Join(err, phase(ctx, "judged", s.scoreJudged))
	}
	return err
}

// gate compares the engine's scores with the reference's, which is opened for
// that alone.
func (s *session) gate(ctx context.Context) (err error) {
	if s.embeds() {
		s.gateEmbeddings()
		return nil
	}
	reference, err := s.open("reference", "")
	if err != nil {
		return fmt.Errorf("bench: accuracy: %w", err)
	}
	limit := time.Duration(0)
	if s.TimeBound > 0 {
		limit = max(1, time.Duration(accuracyShare*float64(s.TimeBound)/float64(len(s.Precisions))))
	}
	check := checkAccuracy
	if s.Embed {
		check = s.checkEmbeddings
	}
	s.rec.Accuracy, err = check(ctx, s.engine, reference, s.work, limit, func(done, total int) {
		s.Progress("accuracy", done, total)
	})
	s.tellScale()
	err = errors.Join(err, reference.Close())
	// The reference's memory should not count as the measured process's.
	reference = nil
	debug.FreeOSMemory()
	return err
}
