package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// verifyPublished is verify, where the weights are the ones whose scores are published.
func (x *exam) verifyPublished(ctx context.Context) error {
	pin, embedder := hub.MiniLM(), hub.AllMiniLM()
	flags := engineFlags{model: cmp.Or(x.model, pin.ID), device: "auto", isa: "auto", precision: "auto"}
	if flags.model == syntheticName {
		flags.model = pin.ID
	}
	found, err := x.checkpoint(flags.model, hub.Complete)
	if flags.model == pin.ID && (errors.Is(err, hub.ErrNotFound) || errors.Is(err, hub.ErrIncomplete)) {
		return x.absent(`%s is not in the local cache; "minilm-metal pull %s" would download it (%d MB); nothing else ever downloads`, pin.ID, pin.ID, pin.Size/1e6)
	}
	if err != nil {
		return err
	}
	known := false
	for _, pin := range []hub.Pin{pin, embedder} {
		weights, err := describeWeights(found.files, pin)
		if err != nil {
			return err
		}
		known = known || isPinned(weights)
	}
	if !known {
		return x.absent("scores are published for %s and similarities for %s, and %s is another model: its weights are neither's", pin.ID, embedder.ID, found.name)
	}
	e, found, without, err := x.openToVerify(&flags, false)
	if err != nil {
		return err
	}
	return errors.Join(x.verifyOpened(ctx, e, found, without, ""), e.Close())
}

// builtinPairs is how many pairs the float64 reference scores, which takes it a second each.
const builtinPairs = 8

// verifyBuiltin has made-up weights score some short pairs on every device that there is,
// and compares with the reference.
func (x *exam) verifyBuiltin(ctx context.Context) error {
	pairs, err := shortPairs(builtinPairs)
	if err != nil {
		return err
	}
	found, err := syntheticCheckpoint()
	if err != nil {
		return err
	}
	want, err := x.scoresOf(ctx, found, pairs, "reference", "f64", func(*engine.Engine) {})
	if err != nil {
		return err
	}
	scores := make([]testdata.PublishedScore, len(pairs))
	for i, p := range pairs {
		scores[i] = testdata.PublishedScore{Query: p.Query, Passage: p.Passage, Score: float64(want[i])}
	}
	var wrong error
	for _, on := range []struct{ device, precision string }{{"metal", "f16"}, {"cpu", "f32"}} {
		got, err := x.scoresOf(ctx, found, pairs, on.device, on.precision, func(e *engine.Engine) {
			fmt.Fprintf(x.stdout, "%s on %s, %s %s\n", found.name, on.device, on.precision, e.GPUName())
		})
		if errors.Is(err, engine.ErrDevice) && on.device == "metal" {
			fmt.Fprintf(x.stdout, "%s on metal: not tried here, which is no failure: %v\n\n", found.name, err)
			continue
		}
		if err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		v := judge(scores, got, scoreDistance(scores, on.precision))
		if err := v.write(x.stdout, "reference"); err != nil {
			return err
		}
		fmt.Fprintln(x.stdout)
		if v.off > 0 || v.wrong > 0 {
			wrong = errors.Join(wrong, fmt.Errorf("%s, %s: %d of %d scores are not the reference's", on.device, on.precision, v.off, len(pairs)))
		}
	}
	return wrong
}

// scoresOf opens a checkpoint on a device, tells opened, and scores.
func (x *exam) scoresOf(ctx context.Context, c checkpoint, pairs []engine.Pair, device, precision string, opened func(*engine.Engine)) ([]float32, error) {
	e, err := engine.OpenFS(c.files, engine.Device(device), engine.Precision(precision), engine.NoCalibrationFile())
	if err != nil {
		return nil, err
	}
	opened(e)
	scores, err := e.Score(ctx, nil, pairs)
	return scores, errors.Join(err, e.Close())
}

// shortPairs returns the n shortest pairs that scores are published for.
func shortPairs(n int) (pairs []engine.Pair, err error) {
	all, err := testdata.PublishedScores()
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if pair := (engine.Pair{Query: s.Query, Passage: s.Passage}); !slices.Contains(pairs, pair) {
			pairs = append(pairs, pair)
		}
	}
	slices.SortStableFunc(pairs, func(a, b engine.Pair) int {
		return cmp.Compare(len(a.Query)+len(a.Passage), len(b.Query)+len(b.Passage))
	})
	return pairs[:min(n, len(pairs))], nil
}
