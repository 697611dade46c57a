package main

import (
	"github.com/minilm-metal/minilm-metal/bench/compare"
)

// Exit codes of what judges one side by another: "bench ab", and "compare --gate".
const (
	regression   = 3
	undecided    = 4
	incomparable = 5
)

// judged is the error of a verdict that is no pass: nothing failed, and the exit code says
// what was found.
type judged struct {
	code int
	text string
}

func (j *judged) Error() string { return j.text }

// outcomeError is the outcome of a judgement as an error; nil: it passed.
func outcomeError(j *compare.Judgement) error {
	code := good
	switch j.Outcome() {
	case compare.Passed:
		return nil
	case compare.Regression:
		code = regression
	case compare.Undecided:
		code = undecided
	case compare.Incomparable:
		code = incomparable
	}
	return &judged{code, j.Summary()}
}

// exitCodes is what --help says of them.
const exitCodes = `Exit codes: 0 passed, 1 failed, 2 usage, 3 regression (something gated is slower),
4 inconclusive, 5 not comparable or scores failed the accuracy gate, 130 interrupted.`
