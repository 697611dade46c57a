package engine

import (
	"errors"
	"fmt"
	"math"

	"github.com/minilm-metal/minilm-metal/model"
)

// purpose is what an engine was opened for. It decides how the checkpoint's files are read, and
// which methods have results.
type purpose int

const (
	scoring     purpose = iota // a number for each pair
	embedding                  // an embedding of each text
	classifying                // a number for each label of a text or pair
)

// least is how few tokens there may be: the special ones of a pair, or of a text where those are
// taken alone, too.
func (p purpose) least() int {
	if p == scoring {
		return fewestOfPair
	}
	return fewestOfText
}

var purposes = [...]struct{ option, results, value string }{
	scoring:     {"", "scores", "the score is"},
	embedding:   {"Embedder", "embeddings", "the embedding has"},
	classifying: {"Classifier", "probabilities of labels", "a label has"},
}

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

// finish completes the results of a call, row by row. It returns an error for each row that
// has values that are not numbers and for each text or pair in c.bad: a *TextError about a single
// text, else a *PairError.
func (e *Engine) finish(all []float32, c *call) error {
	var errs []error
	for i := range len(all) / e.width {
		if err := e.finishRow(all[i*e.width:][:e.width], c.bad[i], c.raw); err != nil {
			errs = append(errs, about(c.how.single, i, err))
		}
	}
	return errors.Join(errs...)
}

// finishRow makes of what the head gives for one pair or text its score, embedding or
// probabilities, in place. Scores and labels that are to be raw stay what they are. If err says
// why there is none, or the values are not numbers, it makes them NaN and returns why.
func (e *Engine) finishRow(row []float32, err error, raw bool) error {
	for _, v := range row {
		if wide := float64(v); err == nil && (math.IsNaN(wide) || math.IsInf(wide, 0)) {
			err = modelErrorf("%s %v", purposes[e.options.purpose].value, v)
		}
	}
	switch is := e.options.purpose; {
	case err != nil:
		for i := range row {
			row[i] = float32(math.NaN())
		}
	case is == scoring && !raw:
		row[0] = model.SigmoidOf(row[0])
	case is == classifying && !raw:
		e.meaning.Apply(row)
	}
	return err
}

// about returns an error about text or pair i of a call.
func about(single bool, i int, err error) error {
	if single {
		return &TextError{i, err}
	}
	return &PairError{i, err}
}
