package main

import (
	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/bench"
)

// ablation holds the flags of bench's ablation.
type ablation struct {
	asked bool
	of    bench.AblateOptions
}

func (a *ablation) register(f *pflag.FlagSet) {
	f.BoolVar(&a.asked, "ablate", false, "tell where the speed comes from: runs without one idea at a time, and from a plain run to the full one, in turns")
	f.IntVar(&a.of.Rounds, "ablate-rounds", bench.DefaultAblationRounds, "rounds of these runs")
}

// apply copies the ablation, if it is asked for, to the options. It refuses flags that do not
// apply to it.
func (a *ablation) apply(f *pflag.FlagSet, o *bench.Options) error {
	switch {
	case !a.asked && f.Changed("ablate-rounds"):
		return usageError("--ablate-rounds: needs --ablate")
	case !a.asked:
		return nil
	case a.of.Rounds < 1:
		return usageError("--ablate-rounds %d: want at least 1", a.of.Rounds)
	}
	for _, name := range []string{"concurrency", "length", "rate", "stages", "profile", "mix", "overload", "slo", "ramp", "scenario", "url", "max-queue"} {
		if f.Changed(name) {
			return usageError("--%s: cannot be used with --ablate", name)
		}
	}
	if len(o.Batches) != 1 {
		return usageError("--batch %s: want one number with --ablate", f.Lookup("batch").Value)
	}
	o.Ablate = &a.of
	return nil
}
