package main

import (
	"math"

	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/bench"
)

// scenario holds the flags of bench's scenarios.
type scenario struct {
	name                string // in LoadGen's words; "": by the other flags
	mixing, overloading bool
	mix                 bench.MixOptions
	overload            bench.OverloadOptions
	load                bench.LoadOptions
}

func (s *scenario) register(f *pflag.FlagSet) {
	f.StringVar(&s.name, "scenario", "", "one of LoadGen's: single-stream (one pair at a time), multi-stream (one batch at a time), offline (all pairs in one call), server (with --rate)")
	f.BoolVar(&s.mixing, "mix", false, "measure small calls beside bulk ones")
	f.IntVar(&s.mix.BulkCallers, "mix-bulk", bench.DefaultBulkCallers, "bulk callers at once")
	f.IntVar(&s.mix.BulkPairs, "mix-bulk-pairs", bench.DefaultBulkPairs, "pairs in a call of the bulk")
	f.BoolVar(&s.mix.Background, "mix-background", false, "the bulk gives way to the small calls (engine.Background)")
	f.Float64Var(&s.mix.Rate, "mix-rate", 0, "small calls that arrive in a second (default: 3 % of the bulk's pairs/s)")
	f.BoolVar(&s.overloading, "overload", false, "measure more calls than can be served; --batch pairs each, by default one")
	f.Float64Var(&s.overload.Factor, "overload-factor", bench.DefaultOverload, "calls that arrive over those that can be served")
	f.DurationVar(&s.load.SLO, "slo", 0, "find the largest load whose P95 keeps this bound, and its goodput; --batch pairs a request, by default one")
	f.BoolVar(&s.load.Ramp, "ramp", false, "measure a row of rising loads; with --slo, before the search")
}

// apply copies the scenario that is asked for to the options. It refuses flags that do not
// apply to what is measured.
func (s *scenario) apply(f *pflag.FlagSet, o *bench.Options) error {
	if err := s.named(f, o); err != nil {
		return err
	}
	if err := s.only(f); err != nil {
		return err
	}
	if o.MaxQueue < 0 {
		return usageError("--max-queue %d: want 0 (any number) or more", o.MaxQueue)
	}
	switch {
	case s.mixing:
		return s.applyMix(f, o)
	case s.overloading:
		return s.applyOverload(f, o)
	case s.loading(f):
		return s.applyLoad(f, o)
	}
	return nil
}

// loading says whether points of load are measured.
func (s *scenario) loading(f *pflag.FlagSet) bool { return s.load.Ramp || f.Changed("slo") }

// only refuses two scenarios at once, and flags that do not belong to the one that is asked for.
func (s *scenario) only(f *pflag.FlagSet) error {
	loading := s.loading(f)
	switch {
	case s.mixing && s.overloading:
		return usageError("--mix and --overload: want one of them")
	case loading && (s.mixing || s.overloading):
		return usageError("--slo and --ramp: cannot be used with --mix or --overload")
	case f.Changed("slo") && s.load.SLO <= 0:
		return usageError("--slo %v: want a time above 0", s.load.SLO)
	}
	none := !s.mixing && !s.overloading && !loading
	const withOne = "cannot be used with --mix, --overload, --slo or --ramp"
	for _, flag := range []struct {
		name string
		said bool // the flag applies to what is measured
		why  string
	}{
		{"mix-bulk", s.mixing, "needs --mix"},
		{"mix-bulk-pairs", s.mixing, "needs --mix"},
		{"mix-background", s.mixing, "needs --mix"},
		{"mix-rate", s.mixing, "needs --mix"},
		{"overload-factor", s.overloading, "needs --overload"},
		{"batch", !s.mixing, "cannot be used with --mix"},
		{"concurrency", none, withOne},
		{"length", none, withOne},
		{"rate", none, withOne},
		{"stages", none, withOne},
		{"profile", none, withOne},
	} {
		if f.Changed(flag.name) && !flag.said {
			return usageError("--%s: %s", flag.name, flag.why)
		}
	}
	return nil
}

func (s *scenario) applyMix(f *pflag.FlagSet, o *bench.Options) error {
	switch {
	case s.mix.BulkCallers < 1:
		return usageError("--mix-bulk %d: want at least 1", s.mix.BulkCallers)
	case s.mix.BulkPairs < 1:
		return usageError("--mix-bulk-pairs %d: want at least 1", s.mix.BulkPairs)
	case f.Changed("mix-rate") && (!(s.mix.Rate > 0) || math.IsInf(s.mix.Rate, 0)):
		return usageError("--mix-rate %v: want more than 0", s.mix.Rate)
	}
	o.Mix = &s.mix
	return nil
}

func (s *scenario) applyOverload(f *pflag.FlagSet, o *bench.Options) error {
	if !(s.overload.Factor > 0) || math.IsInf(s.overload.Factor, 0) {
		return usageError("--overload-factor %v: want more than 0", s.overload.Factor)
	}
	if f.Changed("max-queue") && o.MaxQueue == 0 {
		return usageError("--max-queue 0: nothing is refused by a queue without a limit, want at least 1 with --overload")
	}
	o.Overload = &s.overload
	return oneBatch(f, o, &s.overload.Batch, "--overload")
}

func (s *scenario) applyLoad(f *pflag.FlagSet, o *bench.Options) error {
	o.Load = &s.load
	return oneBatch(f, o, &s.load.Batch, "--slo or --ramp")
}

// oneBatch copies the number of --batch to batch, if it was given: it must be one.
func oneBatch(f *pflag.FlagSet, o *bench.Options, batch *int, with string) error {
	if !f.Changed("batch") {
		return nil
	}
	if len(o.Batches) != 1 || o.Batches[0] < 1 {
		return usageError("--batch %s: want one number, at least 1, with %s", f.Lookup("batch").Value, with)
	}
	*batch = o.Batches[0]
	return nil
}

// scenarios are those of LoadGen, MLPerf's load generator.
var scenarios = []string{"single-stream", "multi-stream", "offline", "server"}

// named makes the options those of the scenario that is named.
func (s *scenario) named(f *pflag.FlagSet, o *bench.Options) error {
	if s.name == "" {
		return nil
	}
	if err := oneOf("scenario", s.name, scenarios); err != nil {
		return err
	}
	excluded := []string{"concurrency", "mix", "overload", "slo", "ramp"}
	switch s.name {
	case "single-stream":
		excluded = append(excluded, "batch", "rate")
		o.Batches = []int{1}
	case "multi-stream":
		excluded = append(excluded, "rate")
	case "offline":
		excluded = append(excluded, "batch", "rate")
		o.Batches = []int{o.Pairs}
	case "server":
		excluded = excluded[1:] // callers may be bounded
		if !f.Changed("rate") {
			return usageError("--scenario server: how many pairs arrive in a second? Say --rate, or search it with --slo")
		}
		if !f.Changed("batch") {
			o.Batches = []int{1}
		}
	}
	for _, name := range excluded {
		if f.Changed(name) {
			return usageError("--%s: cannot be used with --scenario %s", name, s.name)
		}
	}
	return nil
}
