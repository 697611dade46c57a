package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

const (
	// shortestText is the smallest number of tokens in a pair of a sweep: three are
	// special, and query and passage need some each.
	shortestText = 8
	// sweptPairs is how many pairs are made for a length; they are used again and again.
	sweptPairs = 1024
	// filler is a word of one token, so that it makes a text longer by exactly one token.
	filler = "a"
)

// errSweep is wrapped by every error about an engine that a sweep could not open. What was
// measured before it is valid.
var errSweep = errors.New("the sweep did not go on")

// sweep says which precision and length a session is measuring.
type sweep struct {
	precision string // "": precisions are not swept
	length    int    // tokens of a pair; 0: the text as it is
	texts     map[int]*workload
}

// name returns the name of a configuration in notes and in the progress.
func (w *sweep) name(batch, callers int) string {
	name := fmt.Sprintf("batch=%d, concurrency=%d", batch, callers)
	if w.precision != "" {
		name += ", precision=" + w.precision
	}
	if w.length > 0 {
		name += fmt.Sprintf(", length=%d", w.length)
	}
	return name
}

// text returns the workload with pairs of length tokens, and makes that the current length.
func (w *sweep) text(s *session, length int) (*workload, error) {
	w.length = length
	if length == 0 {
		return s.work, nil
	}
	if work := w.texts[length]; work != nil {
		return work, nil
	}
	if most := s.engine.Info().MaxLength; most > 0 && length > most {
		return nil, fmt.Errorf("%w: %s of %d tokens, where the model takes %d", ErrOptions, s.noun(), length, most)
	}
	work, err := s.work.resized(s.engine, length, min(sweptPairs, s.Pairs))
	if err != nil {
		return nil, err
	}
	if w.texts == nil {
		w.texts = map[int]*workload{}
		s.note("Lengths are swept: the text of the data set is cut or lengthened to that many tokens; %d %s are made for each, and read round and round.", len(work.pairs), s.noun())
	}
	w.texts[length] = work
	return work, nil
}

// measurePrecisions measures all configurations in each precision in turn. The engine of
// the first precision is already open, and its accuracy gate has been tried. A precision
// whose scores are too far from the reference's is not timed; the others are, and the error
// wraps ErrInaccurate.
func (s *session) measurePrecisions(ctx context.Context) error {
	var resolved []string
	var inaccurate error
	defer func() { s.concludeSweep(resolved) }()
	for i, precision := range s.Precisions {
		if i > 0 {
			if err := s.reopen(ctx, precision); err != nil {
				s.note("precision=%s: was not measured, and what follows it neither: %s.", precision, reasonOf(err))
				return errors.Join(inaccurate, fmt.Errorf("%w: %w", errSweep, err))
			}
		}
		v := recording.Variant{Precision: s.engine.Info().Precision, ColdStart: s.rec.ColdStart, Accuracy: s.rec.Accuracy, Peak: s.rec.Peak}
		s.sweep.precision = v.Precision
		s.rec.Variants = append(s.rec.Variants, v)
		resolved = append(resolved, v.Precision)
		if !v.Accuracy.Passed {
			s.note("precision=%s: the scores failed the accuracy gate, so nothing of it was timed.", v.Precision)
			inaccurate = fmt.Errorf("%w: %s", ErrInaccurate, v.Precision)
			continue
		}
		if err := s.measureAll(ctx, len(s.Precisions)-i); err != nil {
			return errors.Join(inaccurate, err)
		}
	}
	return inaccurate
}

// concludeSweep sets the fields of the recording that describe a single engine, from the
// first precision that passed its gate, or from the first of all if none did. The variants
// describe every engine.
func (s *session) concludeSweep(resolved []string) {
	s.rec.Precision = strings.Join(resolved, ", ")
	of := &s.rec.Variants[0]
	for i := range s.rec.Variants {
		if v := &s.rec.Variants[i]; v.Accuracy.Passed {
			of = v
			break
		}
	}
	s.rec.ColdStart, s.rec.Accuracy, s.rec.Peak = of.ColdStart, of.Accuracy, of.Peak
}

// reopen replaces the engine by one with another precision, and tries its accuracy gate.
func (s *session) reopen(ctx context.Context, precision string) error {
	if err := s.closeEngine(); err != nil {
		return err
	}
	s.Precision = precision
	if err := phase(ctx, "load", s.coldStart); err != nil {
		return err
	}
	if info := s.engine.Info(); len(info.Choices) > 0 {
		s.note("precision=%s, chosen: %s.", info.Precision, strings.Join(info.Choices, "; "))
	}
	s.rec.Peak = s.peak()
	if err := s.checkScores(ctx); err != nil && !errors.Is(err, ErrInaccurate) {
		return err
	}
	return nil
}

// passage is the text of the at-th pair of the endless workload that answers its query; of
// single texts, the text.
func (w *workload) passage(at int) string {
	p := &w.pairs[at%len(w.pairs)]
	if w.texts {
		return p.Query
	}
	return p.Passage
}

// resized makes n pairs of exactly length tokens from the workload's text: the beginning of
// a query, at most a third of the tokens, and then passages one after the other, cut at the
// end. Of single texts it makes texts of that length, without a query.
func (w *workload) resized(e scorer, length, n int) (*workload, error) {
	out := &workload{name: w.name, sha256: w.sha256, texts: w.texts}
	var b model.Batch
	tokens := func(p engine.Pair) (int, error) {
		b.Reset()
		if err := e.Tokenize(&b, []engine.Pair{p}); err != nil {
			return 0, err
		}
		return b.Tokens(), nil
	}
	for i := range n {
		var query []string
		if !w.texts {
			query = strings.Fields(w.pairs[i%len(w.pairs)].Query)
			query = query[:min(len(query), max(1, length/6))]
		}
		if have, err := tokens(engine.Pair{Query: strings.Join(query, " ")}); err != nil {
			return nil, err
		} else if have > length/2 { // of one word, as some are
			query = []string{filler}
		}
		var words []string
		for at := i; len(words) < length; at++ { // a word is a token at least
			more := strings.Fields(w.passage(at))
			words = append(words, more...)
			if len(more) == 0 {
				words = append(words, filler)
			}
		}
		pair := func(n int) engine.Pair {
			if w.texts {
				return engine.Pair{Query: strings.Join(words[:n], " ")}
			}
			return engine.Pair{Query: strings.Join(query, " "), Passage: strings.Join(words[:n], " ")}
		}
		// The most words that are no more tokens than wanted; then fillers.
		lo, hi := 0, min(len(words), length)
		for lo < hi {
			mid := (lo + hi + 1) / 2
			have, err := tokens(pair(mid))
			if err != nil {
				return nil, err
			}
			if have > length {
				hi = mid - 1
			} else {
				lo = mid
			}
		}
		p := pair(lo)
		for {
			have, err := tokens(p)
			if err != nil {
				return nil, err
			}
			if have >= length {
				if have > length {
					return nil, fmt.Errorf("bench: no text of exactly %d tokens can be made of the data set", length)
				}
				break
			}
			end := &p.Passage
			if w.texts {
				end = &p.Query
			}
			*end = strings.TrimSpace(*end + strings.Repeat(" "+filler, length-have))
		}
		out.pairs, out.tokens = append(out.pairs, p), append(out.tokens, int32(length))
	}
	return out, nil
}
