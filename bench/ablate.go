package bench

import (
	"fmt"
	"slices"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/kernels"
)

// DefaultAblationRounds is how many rounds an ablation has, if there is time. Fewer than six
// bound no median.
const DefaultAblationRounds = 10

// AblateOptions asks where the speed comes from: runs without one idea, and with ever more of
// them, take turns with the full run.
type AblateOptions struct {
	Rounds int // 0: DefaultAblationRounds
}

// ablateDefaults replaces zero values by defaults, or returns an error about what an ablation
// cannot be of.
func (o *Options) ablateDefaults() error {
	if o.Ablate == nil {
		return nil
	}
	a := *o.Ablate // do not change the caller's
	if a.Rounds == 0 {
		a.Rounds = DefaultAblationRounds
	}
	switch {
	case o.Mix != nil || o.Overload != nil || o.Load != nil || o.Server != nil || o.Profile || o.Stages || o.Rate > 0:
		return fmt.Errorf("%w: an ablation and another scenario, a server, a profile, stages or a rate, want the ablation alone", ErrOptions)
	case len(o.Precisions) > 1 || len(o.Lengths) > 0 || len(o.Batches) > 1 || len(o.Concurrencies) > 1 || o.Concurrencies[0] > 1:
		return fmt.Errorf("%w: an ablation of several precisions, lengths, batches or callers, want one of each", ErrOptions)
	case a.Rounds < 1 || a.Rounds > maxPairs:
		return fmt.Errorf("%w: an ablation of %d rounds, want at least 1", ErrOptions, a.Rounds)
	}
	o.Ablate = &a
	return nil
}

// The ideas that can be switched off, in the order in which they are added to the plain run.
// Instructions come before the precision, since not all instructions have each.
const (
	ideaPacking   = "packing"
	ideaTokenizer = "tokenizer"
	ideaOverlap   = "overlap"
	ideaISA       = "instructions"
	ideaPrecision = "precision"
	ideaThreads   = "threads"
)

// plainISA returns the least instruction set that is not plain Go, which nobody would compute
// with unless asked to; "" if there is none below the one in use.
func plainISA(inUse string, available []kernels.ISA) string {
	if inUse == kernels.Generic.String() {
		return ""
	}
	for _, isa := range slices.Backward(available) {
		if isa != kernels.Generic {
			if isa.String() != inUse {
				return isa.String()
			}
			return ""
		}
	}
	return ""
}

// ideasOf returns the ideas of an engine that can be switched off.
func ideasOf(info engine.Info, padded, tokenizes bool) (list []recording.Idea) {
	add := func(id, name, without string) {
		list = append(list, recording.Idea{ID: id, Name: name, Without: without})
	}
	if padded {
		add(ideaPacking, "packing without padding", "each pair is as long as its batch's longest")
	}
	if tokenizes {
		add(ideaTokenizer, "the engine's tokenizer", "a textbook WordPiece of strings and a map, all threads, before a batch is computed")
	}
	add(ideaOverlap, "tokenizing beside computing", "a batch is tokenized by one goroutine before it is computed")
	if least := plainISA(info.InstructionSet, kernels.Available()); info.InstructionSet != "" && least != "" {
		add(ideaISA, "instructions of "+info.InstructionSet, "those of "+least+" alone")
	}
	if info.Precision != "f32" && info.InstructionSet != "" { // a GPU here has but one
		add(ideaPrecision, "products in "+info.Precision, "in f32")
	}
	if info.Workers > 1 {
		add(ideaThreads, fmt.Sprintf("%d threads", info.Workers), "one thread")
	}
	return list
}

// variantOf returns how to score without some ideas.
func variantOf(info engine.Info, off []string) recording.AblationVariant {
	v := recording.AblationVariant{Off: slices.Clone(off), Precision: info.Precision, InstructionSet: info.InstructionSet, Workers: info.Workers}
	if isOff(&v, ideaISA) {
		v.InstructionSet = plainISA(info.InstructionSet, kernels.Available())
	}
	if isOff(&v, ideaPrecision) {
		v.Precision = "f32"
	}
	if isOff(&v, ideaThreads) {
		v.Workers = 1
	}
	return v
}

// isOff says whether a variant does without an idea.
func isOff(v *recording.AblationVariant, idea string) bool { return slices.Contains(v.Off, idea) }

// variantsOf returns the runs of an ablation: the full one; one without each idea; and those
// with ever more of them, from the plain one, which has none. possible says whether an
// instruction set has a precision; runs that it makes impossible are left out.
func variantsOf(info engine.Info, ideas []recording.Idea, possible func(isa, precision string) bool) (list []recording.AblationVariant) {
	var all []string
	for _, idea := range ideas {
		all = append(all, idea.ID)
	}
	add := func(off []string) {
		v := variantOf(info, off)
		same := func(have recording.AblationVariant) bool { return slices.Equal(have.Off, off) }
		if !slices.ContainsFunc(list, same) && (v.InstructionSet == "" || possible(v.InstructionSet, v.Precision)) {
			list = append(list, v)
		}
	}
	add(nil)
	for i := range all {
		add(all[i : i+1])
	}
	for i := range all {
		add(all[i:])
	}
	return list
}

// hasPrecision says whether an instruction set has a precision.
func hasPrecision(isa, precision string) bool {
	of, err := kernels.ParseISA(isa)
	if err != nil {
		return false
	}
	format, err := kernels.ParseFormat(precision)
	return err == nil && slices.Contains(of.Formats(), format)
}

// engineOf opens an engine for a variant.
func (o *Options) engineOf(v *recording.AblationVariant) (tokenScorer, error) {
	opts := []engine.Option{engine.NoCalibrationFile(), engine.Precision(v.Precision), engine.Workers(max(1, v.Workers))}
	if v.InstructionSet != "" {
		opts = append(opts, engine.InstructionSet(v.InstructionSet))
	} else if o.Device != "" {
		opts = append(opts, engine.Device(o.Device))
	}
	e, err := engine.OpenFS(o.Model.Files, opts...)
	if err != nil {
		return nil, err
	}
	return pairEngine{e}, nil
}
