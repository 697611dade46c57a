package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

const (
	// ablationSeed makes the order of the runs the same in every ablation.
	ablationSeed = 1
	// ablationShare is the share of the time that is left that the rounds may take; the
	// rest is for kernels that are measured alone.
	ablationShare = 0.85
)

// tokenScorer scores tokens, too.
type tokenScorer interface {
	scorer
	ScoreTokens(ctx context.Context, dst []float32, b *model.Batch, opts ...engine.CallOption) ([]float32, error)
}

// ablation scores the same pairs in different ways.
type ablation struct {
	*session
	rec     *recording.Ablation
	engines map[string]tokenScorer // by key
	batches []ablationBatch
	plain   *textbook // nil: the idea of a tokenizer cannot be switched off
	tokens  model.Batch
	scores  []float32
}

// ablationBatch is the pairs of a call, as they are and all as long as the longest, and the
// tokens of both.
type ablationBatch struct {
	pairs, padded []engine.Pair
	tokens, long  model.Batch
}

// measureAblation runs all variants in turns, in rounds of random order, until the planned
// rounds are over or the time is, and then what can only be measured by kernels of its own.
func (s *session) measureAblation(ctx context.Context) (err error) {
	t := newTurns(s.deadline)
	batch := min(s.Batches[0], s.Pairs)
	a := &ablation{session: s, engines: map[string]tokenScorer{},
		rec: &recording.Ablation{Batch: batch, Seed: ablationSeed, Rounds: [][]recording.AblationTime{}, Kernels: []recording.AblationKernel{}}}
	defer func() { err = errors.Join(err, a.close()) }()
	if err := a.pad(batch); err != nil {
		return err
	}
	a.learn()
	info := s.engine.Info()
	ideas := ideasOf(info, a.rec.Padded > a.rec.Tokens, a.plain != nil)
	a.rec.Ideas, a.rec.Variants = ideas, variantsOf(info, ideas, hasPrecision)
	if err := a.open(); err != nil {
		return err
	}
	rounds := time.Duration(ablationShare * float64(time.Until(t.end)))
	end := time.Now().Add(rounds)
	took, err := a.warm(ctx)
	if err != nil {
		return s.interruptedScenario(ctx, "ablation", 0, err)
	}
	// As many of the batches in a run as there is time for in all rounds.
	fit := int((rounds - 2*took) / time.Duration(s.Ablate.Rounds) / max(took, 1))
	a.cut(max(1, min(fit, len(a.batches))))
	runtime.GC() // what loading left is not the runs'

	random := rand.New(rand.NewPCG(ablationSeed, 0))
	var order []int
	begun := time.Now()
	for i := range s.Ablate.Rounds {
		if now := time.Now(); i > 0 && now.Add(now.Sub(begun)/time.Duration(i)).After(end) {
			s.note("ablation: the time bound of %v (for the whole run) was over after %d of %d rounds.", s.TimeBound, i, s.Ablate.Rounds)
			break
		}
		if order = slices.Clone(order); i%2 == 0 { // what one round has first, the next has last
			order = random.Perm(len(a.rec.Variants))
		} else {
			slices.Reverse(order)
		}
		round, err := a.round(ctx, order, i)
		if err != nil {
			return s.interruptedScenario(ctx, "ablation", i, err)
		}
		a.rec.Rounds = append(a.rec.Rounds, round)
		s.rec.Ablation = a.rec
	}
	if err := a.measureKernels(ctx); ctx.Err() != nil {
		return s.interruptedScenario(ctx, "ablation", len(a.rec.Rounds), err)
	} else if err != nil { // the rounds stand without it
		s.note("ablation: not all that has kernels of its own was measured: %v.", err)
	}
	return nil
}

// pad divides the pairs into batches and lengthens each pair to its batch's longest, by words
// of one token behind the passage. Nothing masks them: a padded run computes what one with
// masks computes, and its scores are of other text, and not used.
func (a *ablation) pad(batch int) error {
	for lo := 0; lo < a.Pairs; lo += batch {
		pairs, tokens, padded := a.work.batch(nil, lo, min(lo+batch, a.Pairs))
		one := ablationBatch{pairs: pairs}
		longest := padded / len(pairs)
		for i, p := range pairs {
			have := int(a.work.tokens[(lo+i)%len(a.work.tokens)])
			p.Passage += strings.Repeat(" "+filler, longest-have)
			one.padded = append(one.padded, p)
		}
		if err := errors.Join(a.engine.Tokenize(&one.tokens, one.pairs), a.engine.Tokenize(&one.long, one.padded)); err != nil {
			return fmt.Errorf("bench: ablation: padding: %w", err)
		}
		if have := one.long.Tokens(); have != padded {
			return fmt.Errorf("bench: ablation: padding made %d tokens of %d, want %d", have, tokens, padded)
		}
		a.batches = append(a.batches, one)
		a.rec.Pairs, a.rec.Tokens, a.rec.Padded = a.rec.Pairs+len(pairs), a.rec.Tokens+tokens, a.rec.Padded+padded
	}
	return nil
}

// learn makes the textbook's tokenizer, and notes for how many pairs it has the engine's
// tokens. Runs with it compute the engine's tokens all the same, so that they differ in
// nothing but what tokenizing costs.
func (a *ablation) learn() {
	plain, err := newTextbook(a.Model.Files, a.engine.Info().MaxLength)
	if err != nil {
		a.note("ablation: the tokenizer was not switched off: %v.", err)
		return
	}
	a.plain = plain
	same, all := 0, 0
	for i := range a.batches {
		b := &a.batches[i]
		for k, p := range b.pairs {
			lo, hi := b.tokens.Bounds(k)
			if all++; slices.Equal(plain.pair(p), b.tokens.IDs[lo:hi]) {
				same++
			}
		}
	}
	a.note("ablation: the textbook tokenizer has the engine's tokens for %d of %d pairs; all runs compute the engine's.", same, all)
}

// cut leaves the first n batches.
func (a *ablation) cut(n int) {
	a.batches = a.batches[:n]
	a.rec.Pairs, a.rec.Tokens, a.rec.Padded = 0, 0, 0
	for i := range n {
		pairs, tokens, padded := a.work.batch(nil, i*a.rec.Batch, min((i+1)*a.rec.Batch, a.Pairs))
		a.rec.Pairs, a.rec.Tokens, a.rec.Padded = a.rec.Pairs+len(pairs), a.rec.Tokens+tokens, a.rec.Padded+padded
	}
}

// key is what tells the engines of variants apart.
func key(v *recording.AblationVariant) string {
	return fmt.Sprint(v.Precision, v.InstructionSet, v.Workers)
}

// open opens the engines that the variants need, beside the one that is open.
func (a *ablation) open() error {
	for i := range a.rec.Variants {
		v := &a.rec.Variants[i]
		if a.engines[key(v)] != nil {
			continue
		}
		if i == 0 {
			e, ok := a.engine.(tokenScorer)
			if !ok {
				return fmt.Errorf("%w: an ablation of what does not score tokens", ErrOptions)
			}
			a.engines[key(v)] = e
			continue
		}
		e, err := a.openVariant(v)
		if err != nil {
			return fmt.Errorf("bench: ablation: %s, %s, %d workers: %w", v.Precision, v.InstructionSet, v.Workers, err)
		}
		a.engines[key(v)] = e
	}
	return nil
}

// close closes the engines that open has opened.
func (a *ablation) close() (err error) {
	for _, e := range a.engines {
		if scorer(e) != a.engine {
			err = errors.Join(err, e.Close())
		}
	}
	return err
}

// warm scores one batch in each way twice, and returns how long the second time took for all.
func (a *ablation) warm(ctx context.Context) (took time.Duration, err error) {
	for i := range a.rec.Variants {
		a.Progress("ablation: warm-up", i, len(a.rec.Variants))
		v := &a.rec.Variants[i]
		for range 2 {
			begun := time.Now()
			if err := a.score(ctx, v, &a.batches[0]); err != nil {
				return 0, err
			}
			took += time.Since(begun) / 2
		}
	}
	return took, nil
}

// round runs each variant once, in that order.
func (a *ablation) round(ctx context.Context, order []int, number int) (list []recording.AblationTime, err error) {
	meter := processMeter(a.engine)
	for i, variant := range order {
		a.Progress("ablation", number*len(order)+i, a.Ablate.Rounds*len(order))
		before, begun := meter().cpu, time.Now()
		for k := range a.batches {
			if err := a.score(ctx, &a.rec.Variants[variant], &a.batches[k]); err != nil {
				return nil, err
			}
		}
		took := recording.AblationTime{Variant: variant, Time: time.Since(begun)}
		if after := meter().cpu; before != nil && after != nil {
			took.CPU = new(*after - *before)
		}
		list = append(list, took)
	}
	return list, nil
}

// score scores a batch as a variant does.
func (a *ablation) score(ctx context.Context, v *recording.AblationVariant, b *ablationBatch) (err error) {
	e, pairs, tokens := a.engines[key(v)], b.pairs, &b.tokens
	if isOff(v, ideaPacking) {
		pairs, tokens = b.padded, &b.long
	}
	apart := isOff(v, ideaOverlap)
	switch {
	case isOff(v, ideaTokenizer):
		goroutines := max(1, v.Workers)
		if apart {
			goroutines = 1
		}
		a.plain.pairs(pairs, goroutines)
	case apart:
		tokens = &a.tokens
		tokens.Reset()
		err = e.Tokenize(tokens, pairs)
	default:
		a.scores, _, err = e.ScoreStats(ctx, a.scores[:0], pairs)
		tokens = nil
	}
	if err == nil && tokens != nil {
		a.scores, err = e.ScoreTokens(ctx, a.scores[:0], tokens)
	}
	if err != nil {
		return fmt.Errorf("bench: ablation: without %s: %w", strings.Join(v.Off, ", "), err)
	}
	return nil
}
