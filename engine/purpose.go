package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// purpose is what an engine was opened for. It decides how the checkpoint's files are read, and
// which methods have results.
type purpose int

const (
	scoring     purpose = iota // a number for each pair
	embedding                  // an embedding of each text
	classifying                // a number for each label of a text or pair
)

var purposes = [...]struct{ option, results string }{scoring: {"", "scores"}, embedding: {"Embedder", "embeddings"}, classifying: {"Classifier", "probabilities of labels"}}

// need returns an error if the engine was opened for something else than want.
func (e *Engine) need(want purpose) error {
	is := e.options.purpose
	switch {
	case is == want:
		return nil
	case is == scoring:
		return fmt.Errorf("engine: the engine was opened without %s: it makes scores, and no %s", purposes[want].option, purposes[want].results)
	}
	return fmt.Errorf("engine: the engine was opened with %s: it makes %s, and no %s", purposes[is].option, purposes[is].results, purposes[want].results)
}

// answer is a call that has several values for each pair or text. stats may be nil.
func (e *Engine) answer(of purpose, ctx context.Context, dst []float32, pairs []Pair, texts []string, opts []CallOption, stats *CallStats) ([]float32, error) {
	if err := e.need(of); err != nil {
		return dst, e.ended(err)
	}
	c, err := e.begin(ctx, dst, pairs, texts, nil, opts)
	if err == nil && c.count > 0 {
		err = e.await(c)
	}
	return e.conclude(c, dst, err, stats)
}

// finishRows completes the rows of such a call. It returns an error for each row that has
// values that are not numbers and for each text or pair in bad, made by wrap.
func (e *Engine) finishRows(all []float32, bad map[int]error, wrap func(i int, err error) error) error {
	var errs []error
	for i := range len(all) / e.width {
		row, err := all[i*e.width:][:e.width], bad[i]
		for _, v := range row {
			if wide := float64(v); err == nil && (math.IsNaN(wide) || math.IsInf(wide, 0)) {
				err = modelErrorf("%s has %v", [...]string{embedding: "the embedding", classifying: "a label"}[e.options.purpose], v)
			}
		}
		switch {
		case err != nil:
			for j := range row {
				row[j] = float32(math.NaN())
			}
			errs = append(errs, wrap(i, err))
		case e.options.purpose == classifying && !e.options.logits:
			e.meaning.Apply(row)
		}
	}
	return errors.Join(errs...)
}

func ofText(i int, err error) error { return &TextError{i, err} }
func ofPair(i int, err error) error { return &PairError{i, err} }
