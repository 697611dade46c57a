package engine

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// CallOption sets one thing about one call: the prompt, what its scores are, how texts that are
// too long are cut, or where it tells what it did. Calls with different options share passes, and
// a call's results are, bit for bit, those of an engine that was opened with the same settings.
//
// A nil CallOption sets nothing; if two set the same thing, the last one counts. A method that
// cannot follow an option returns an error that names both.
type CallOption func(*callOptions)

// callOptions are what a call's options have set.
type callOptions struct {
	given option // those that were given

	prompt  string
	name    string
	set     promptSource
	atMost  int
	side    tokenizer.Side
	stats   *CallStats
	lengths *[]int
}

var noOptions callOptions

// option is a set of call options.
type option uint

const (
	optPrompt option = 1 << iota
	optRaw
	optSigmoid
	optAtMost
	optSide
	optUncut
	optStats
	optLengths
	optUnscaled

	optTexts = optPrompt | optAtMost | optSide | optUncut // how tokens are made of texts
)

// optionNames are their names, from the lowest bit on.
var optionNames = [...]string{"Prompt", "RawScores", "SigmoidScores", "AtMost", "CutSide", "Uncut", "StatsTo", "LengthsTo", "Unnormalized"}

// RawScores makes a call's scores raw logits, also if the engine has the option [Sigmoid]. For
// Classify and its kin it is [Logits]: raw logits in place of probabilities.
func RawScores() CallOption {
	return func(o *callOptions) { o.given = o.given&^optSigmoid | optRaw }
}

// SigmoidScores makes each of a call's scores 1/(1+exp(-logit)), computed in float64, also if the
// engine lacks the option [Sigmoid]. Scores that are nearly 1 become equal: to rank by them, take
// RawScores, or Rank, whose order is always that of the logits.
func SigmoidScores() CallOption {
	return func(o *callOptions) { o.given = o.given&^optRaw | optSigmoid }
}

// AtMost sets the most tokens that each pair or text of a call may have, the special tokens and
// the prompt included; fewer than 3 are an error. It never permits more than Info's MaxLength.
func AtMost(tokens int) CallOption {
	return func(o *callOptions) { o.atMost, o.given = tokens, o.given|optAtMost }
}

// CutSide sets the side on which a call's texts lose tokens if they are too long: it is the
// option [Truncation] for one call.
func CutSide(side tokenizer.Side) CallOption {
	return func(o *callOptions) { o.side, o.given = side, o.given|optSide }
}

// Uncut makes each pair or text of a call that would have to be cut an error of its own, a
// *PairError or *TextError with a *TooLongError in it. The others have their results.
func Uncut() CallOption {
	return func(o *callOptions) { o.given |= optUncut }
}

// StatsTo sets *s to what the call cost when it returns, or a stream when its loop ends; to zero
// if there are no results. Until then s must not be used elsewhere. nil is no StatsTo.
func StatsTo(s *CallStats) CallOption {
	return func(o *callOptions) {
		if o.stats, o.given = s, o.given|optStats; s == nil {
			o.given &^= optStats
		}
	}
}

// LengthsTo sets *lengths to how many tokens each pair or text of a call has before it is cut,
// the special tokens and the prompt included; to none if there are no results. It uses the
// slice's memory if there is enough. A text so long that it cannot be counted has
// tokenizer.NoLimit. To count costs time only for texts that are cut: they are read to the end.
// Until the call returns lengths must not be used elsewhere. nil is no LengthsTo.
func LengthsTo(lengths *[]int) CallOption {
	return func(o *callOptions) {
		if o.lengths, o.given = lengths, o.given|optLengths; lengths == nil {
			o.given &^= optLengths
		}
	}
}

// Unnormalized leaves out the module Normalize at the end of an embedder: its embeddings keep the
// length that they have before it. Where there is no such module, it changes nothing.
func Unnormalized() CallOption { return func(o *callOptions) { o.given |= optUnscaled } }

// method is a method of Engine that makes calls.
type method struct {
	name   string
	of     purpose // that the engine must have been opened for
	single bool    // it takes single texts
	takes  option
}

var (
	methodScore         = method{"Score", scoring, false, optTexts | optRaw | optSigmoid | optStats | optLengths}
	methodRank          = method{"Rank", scoring, false, methodScore.takes}
	methodScoreTokens   = method{"ScoreTokens", scoring, false, optRaw | optSigmoid | optStats}
	methodStream        = method{"Stream", scoring, false, methodScore.takes &^ optLengths}
	methodStreamTokens  = method{"StreamTokens", scoring, false, methodScoreTokens.takes}
	methodEmbed         = method{"Embed", embedding, true, optTexts | optStats | optLengths | optUnscaled}
	methodEmbedTokens   = method{"EmbedTokens", embedding, true, optStats | optUnscaled}
	methodEmbedStream   = method{"EmbedStream", embedding, true, methodEmbed.takes &^ optLengths}
	methodClassify      = method{"Classify", classifying, true, optTexts | optRaw | optStats | optLengths}
	methodClassifyPairs = method{"ClassifyPairs", classifying, false, methodClassify.takes}
	methodLabels        = method{"ClassifyStream", classifying, true, methodClassify.takes &^ optLengths}
	methodLabelsOfPairs = method{"ClassifyPairsStream", classifying, false, methodLabels.takes}
	methodTokenize      = method{"Tokenize", 0, false, optTexts}
)

// apply sets the options of a call. What a call tells is told anew.
func (o *callOptions) apply(opts []CallOption) {
	for _, opt := range opts {
		if opt != nil {
			opt(o)
		}
	}
	if o.stats != nil {
		*o.stats = CallStats{}
	}
	if o.lengths != nil {
		*o.lengths = (*o.lengths)[:0]
	}
}

// check returns an error about an option that the method cannot follow, or with a value that
// none can.
func (o *callOptions) check(m *method) error {
	for i, name := range optionNames {
		if o.given&^m.takes&(1<<i) != 0 {
			return fmt.Errorf("engine: %s: the option %s does not apply", m.name, name)
		}
	}
	if o.given&optAtMost != 0 && o.atMost < fewestLength {
		return fmt.Errorf("engine: %s: AtMost(%d): want at least %d tokens, for the special tokens", m.name, o.atMost, fewestLength)
	}
	if o.given&optSide != 0 && o.side != tokenizer.TruncateRight && o.side != tokenizer.TruncateLeft {
		return fmt.Errorf("engine: %s: CutSide(%d): want TruncateRight or TruncateLeft", m.name, int(o.side))
	}
	return nil
}

// raw reports whether scores or labels of a call are raw logits, on an engine with the options
// given.
func (o *callOptions) raw(of *options) bool {
	switch {
	case o.given&optRaw != 0:
		return true
	case o.given&optSigmoid != 0:
		return false
	case of.purpose == classifying:
		return of.logits
	}
	return !of.sigmoid
}

// cutting returns t, or a copy of it that cuts texts as the call's options say.
func (o *callOptions) cutting(t *tokenizer.Tokenizer) (*tokenizer.Tokenizer, error) {
	if o.given&(optAtMost|optSide|optUncut) == 0 {
		return t, nil
	}
	how := t.Truncation()
	if o.given&optAtMost != 0 {
		how.MaxLength = min(how.MaxLength, o.atMost)
	}
	if o.given&optSide != 0 {
		how.Side = o.side
	}
	if o.given&optUncut != 0 {
		how.Strategy = tokenizer.DoNotTruncate
	}
	if how == t.Truncation() {
		return t, nil
	}
	return t.Truncating(how)
}
