package bench

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/kernels/workbench"
	"github.com/minilm-metal/minilm-metal/model"
)

// How often an idea's own work is measured in each way: passes take some 50 ms, and repeats
// of a product 3 ms.
const (
	passTurns    = 15
	productTurns = 60
)

// measureKernels measures ideas that no run can do without, since the product has no code for
// that: on the processor, in turns, the work with an idea and the same work without it. What
// the work is of the time of a full run is measured by timing the kernels of one.
func (a *ablation) measureKernels(ctx context.Context) error {
	info := a.engine.Info()
	if info.InstructionSet == "" { // another device, whose kernels cannot run alone
		return nil
	}
	variant, err := a.variant()
	if err != nil {
		return err
	}
	a.Progress("ablation: kernels", 0, 0)
	list, whole, err := a.timedRun(ctx)
	if err != nil {
		return err
	}
	var forward, up time.Duration
	for _, k := range list {
		forward += k.Time
		if k.Kernel == "gemm+gelu up" {
			up += k.Time
		}
	}
	cls, err := a.clsOnly(ctx, variant)
	if err != nil {
		return err
	}
	cls.Part, cls.Whole = min(forward, whole), whole
	a.rec.Kernels = append(a.rec.Kernels, *cls)
	gelu, err := fusedGELU(ctx, variant)
	if err != nil {
		return err
	}
	gelu.Part, gelu.Whole = min(up, whole), whole
	a.rec.Kernels = append(a.rec.Kernels, *gelu)
	return nil
}

// variant is that of the full run.
func (a *ablation) variant() (v kernels.Variant, err error) {
	info := a.engine.Info()
	isa, err := kernels.ParseISA(info.InstructionSet)
	if err != nil {
		return v, err
	}
	format, err := kernels.ParseFormat(info.Precision)
	return kernels.Variant{ISA: isa, Format: format}, err
}

// timedRun scores all batches as the full run does, with the kernels timed, and returns them
// and the time of all workers together.
func (a *ablation) timedRun(ctx context.Context) ([]recording.Kernel, time.Duration, error) {
	stop, err := a.timeKernels()
	if err != nil {
		return nil, 0, fmt.Errorf("bench: ablation: %w", err)
	}
	begun := time.Now()
	for i := range a.batches {
		if err = a.score(ctx, &a.rec.Variants[0], &a.batches[i]); err != nil {
			break
		}
	}
	took := time.Since(begun)
	return stop(), took * time.Duration(a.rec.Variants[0].Workers), err
}

// clsOnly runs the encoder on one worker as it is, and with the last layer computed for every
// row, of which the head reads [CLS] rows alone: the scores are the same.
func (a *ablation) clsOnly(ctx context.Context, v kernels.Variant) (_ *recording.AblationKernel, err error) {
	w, err := model.Load(a.Model.Files)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	d, err := cpu.Open(w, 1, v)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	a.tokens.Reset()
	pairs := a.batches[0].pairs
	if err := a.engine.Tokenize(&a.tokens, pairs[:min(len(pairs), 8)]); err != nil { // a pass of the engine's size or so
		return nil, err
	}
	k := &recording.AblationKernel{Unit: "a pass through the encoder, one thread",
		Idea: recording.Idea{ID: "cls", Name: "last layer for [CLS] alone", Without: "the last layer computes every row"}}
	var rows [2][]float32 // what the encoder says of each sequence
	for i := range rows {
		rows[i] = make([]float32, a.tokens.Len()*w.Config.HiddenSize)
	}
	for turn := range passTurns + 1 {
		var took [2]float64
		for i := range 2 {
			way := (turn + i) % 2 // the two take turns in going first
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			begun := time.Now()
			if err := encode(d, w.Config.Layers, &a.tokens, rows[way], way == 1); err != nil {
				return nil, err
			}
			took[way] = float64(time.Since(begun))
		}
		if turn > 0 { // the first warms up
			k.With, k.Without = append(k.With, took[0]), append(k.Without, took[1])
		}
	}
	if !slices.Equal(rows[0], rows[1]) {
		return nil, errors.New("bench: ablation: the last layer for [CLS] alone gives other [CLS] rows")
	}
	return k, nil
}

// encode runs a batch through the encoder and reads the first row of each sequence. If every
// is true, the last layer computes every row, as the others do.
func encode(d model.Device, layers int, b *model.Batch, rows []float32, every bool) error {
	p, err := d.Begin(b)
	if err != nil {
		return err
	}
	defer p.End()
	if !every {
		return model.Forward(p, layers, model.Firsts, rows)
	}
	p.Embed()
	for layer := range layers {
		p.Attention(layer, model.AllRows)
		p.FeedForward(layer)
	}
	return p.Pool(model.Firsts, rows)
}

// fusedGELU measures the product of the feed-forward's first half with bias and GELU in its
// kernel, and with GELU after it, at MiniLM's size.
func fusedGELU(ctx context.Context, v kernels.Variant) (*recording.AblationKernel, error) {
	plain := kernels.Variant{ISA: v.ISA, Format: kernels.F32}
	of := func(v kernels.Variant, name string) []*workbench.Case {
		return workbench.Cases(workbench.Selection{Variants: []kernels.Variant{v}, Slow: true, Focus: regexp.MustCompile("^Kernel/name=" + name + "/.*rows=128$")})
	}
	cases := slices.Concat(of(v, "up-gelu"), of(v, "up"), of(plain, "gelu"))
	if len(cases) != 3 {
		return nil, fmt.Errorf("bench: ablation: %d kernels of a product with GELU, want 3", len(cases))
	}
	turns := productTurns
	if v.ISA == kernels.Generic { // where a product takes a tenth of a second
		turns = passTurns
	}
	r, err := workbench.Measure(ctx, cases, workbench.Options{Count: turns})
	if err != nil {
		return nil, err
	}
	k := &recording.AblationKernel{Unit: "the product 384x1536 of 128 rows, one thread",
		Idea: recording.Idea{ID: "fusion", Name: "GELU in the product's kernel", Without: "GELU in a kernel of its own, behind the product"}}
	for i := range r.Results[0].Samples {
		k.With = append(k.With, r.Results[0].Samples[i])
		k.Without = append(k.Without, r.Results[1].Samples[i]+r.Results[2].Samples[i])
	}
	return k, nil
}
