package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/bench/peers"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// The names that --device and --precision accept on any machine.
var (
	devices    = []string{"auto", "cpu", "metal", "reference"}
	precisions = []string{"auto", "f32", "bf16x3", "f16", "bf16", "int8", "f64"}
)

// instructionSets returns the names that --isa accepts on any machine.
func instructionSets() []string {
	names := []string{"auto"}
	for isa := kernels.Generic; ; isa++ {
		if _, err := kernels.ParseISA(isa.String()); err != nil {
			return names
		}
		names = append(names, isa.String())
	}
}

// mostWorkers is far above the number of cores of any machine: a larger number is a typing
// error that would cost hours.
const mostWorkers = 1024

// oneOf refuses a name that is not known on any machine. The engine refuses those that this
// machine does not have.
func oneOf(flag, name string, known []string) error {
	if !slices.Contains(known, name) {
		return usageError("--%s %q: want one of %s", flag, name, strings.Join(known, ", "))
	}
	return nil
}

// check refuses invalid flags before anything else happens.
func (f *engineFlags) check() error {
	if f.workers < 0 || f.workers > mostWorkers {
		return usageError("--workers %d: want 0, for all cores, to %d", f.workers, mostWorkers)
	}
	for _, flag := range []struct {
		name, value string
		known       []string
	}{{"device", f.device, devices}, {"isa", f.isa, instructionSets()}, {"precision", f.precision, precisions}} {
		if err := oneOf(flag.name, flag.value, flag.known); err != nil {
			return err
		}
	}
	// Combinations that do not exist on any machine.
	switch reference := f.device == "reference"; {
	case reference && f.precision != "auto" && f.precision != "f64":
		return usageError("--precision %s: the device reference has f64 alone", f.precision)
	case !reference && f.precision == "f64":
		return usageError("--precision f64: it is there with --device reference alone")
	case f.device == "metal" && f.precision != "auto" && f.precision != "f16":
		return usageError("--precision %s: the device metal has f16 alone", f.precision)
	case f.isa != "auto" && (reference || f.device == "metal"):
		return usageError("--isa %s: cannot be used with --device %s", f.isa, f.device)
	}
	return nil
}

// checkEach checks the flags with one precision after the other.
func (f engineFlags) checkEach(precisions []string) error {
	for _, f.precision = range precisions {
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}

// complete makes the shell offer values for the flags of all commands that have a few, and
// for the arguments of those that take some. Everything else is a file, or nothing.
func (p *program) complete(root *cobra.Command) {
	flags := map[string][]string{
		"device": devices, "isa": instructionSets(), "precision": precisions,
		"dtype": {"f32", "f16", "bf16"}, "layout": {"plain", "published"}, "kind": {"ranker", "embedder", "labels"},
		"quantize": {"float32", "int8", "uint8", "binary", "ubinary"}, "by": {"cosine", "dot", "euclidean", "manhattan"},
		"sample": {"time", "calls", "flops", "bytes"}, "scenario": scenarios, "peers": slices.Compact(slices.Sorted(slices.Values(slices.Concat(peers.Names(""), peers.Names(recording.TaskEmbed))))),
	}
	for _, f := range []kernels.Format{kernels.F32, kernels.BF16x3, kernels.F16, kernels.BF16, kernels.Int8} {
		flags["format"] = append(flags["format"], f.String())
	}
	flags["quantize"], flags["by"] = []string{"float32", "int8", "uint8", "binary", "ubinary"}, []string{"cosine", "dot", "euclidean", "manhattan"}
	for _, c := range below(root) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			values, some := flags[f.Name]
			if f.Name == "format" && c.Name() == "embed" {
				values = []string{formatJSONL, formatNPY, formatF32, formatRaw}
			}
			switch f.Value.Type() {
			case "bool", "int", "uint64", "float64", "duration", "intSlice":
				some = true // numbers cannot be guessed, and are not files
			}
			if some {
				c.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
			}
		})
		if c.Flags().Lookup("model") != nil {
			// --model also takes a folder.
			c.RegisterFlagCompletionFunc("model", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
				return append(p.cached(), syntheticName), cobra.ShellCompDirectiveDefault
			})
		}
		if c.ValidArgsFunction == nil && c.Args != nil && c.Args(c, nil) == nil {
			c.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
}

// below are the commands of a command, and theirs.
func below(c *cobra.Command) (all []*cobra.Command) {
	for _, child := range c.Commands() {
		all = append(append(all, child), below(child)...)
	}
	return all
}

// completeID offers the known ids: the pinned one, and those in the cache.
func (p *program) completeID(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ids := append(p.cached(), hub.MiniLM().ID)
	slices.Sort(ids)
	return slices.Compact(ids), cobra.ShellCompDirectiveNoFileComp
}

// cached returns the ids in the local cache, none if it cannot be read.
func (p *program) cached() (ids []string) {
	cache, err := hub.DefaultCache(p.getenv, p.home())
	if err != nil {
		return nil
	}
	all, _ := cache.List()
	for _, s := range all {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
