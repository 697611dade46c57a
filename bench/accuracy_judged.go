package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
)

const (
	// judgedShare is the share of the time bound that judged pairs may take.
	judgedShare = 0.3
	// judgedStep is about how many of them are scored in one call.
	judgedStep = 128
)

// judgedQuery is a query with its passages and what is given of them.
type judgedQuery struct {
	pairs []engine.Pair
	recording.JudgedQuery
	judged bool // somebody judged a passage of it
}

// readJudged reads a JSON Lines file of texts, as package jsonl reads them, with three more
// fields:
//
//	"logits"             exact logits: a number of the passage, or a list of as many as there are passages
//	"judgements"         grades as TREC's: a whole number or null, or a list of them; may be missing
//	"other_judgements"   a list of the grades of judged passages of the query that are not here; may be missing
//
// Lines of the same query belong together. A passage that nobody judged counts as not
// relevant where the query is judged.
func readJudged(r io.Reader, name string) ([]judgedQuery, error) {
	var list []judgedQuery
	at := map[string]int{} // in list, by query
	pairs := 0
	lines := jsonl.NewReader(r)
	for {
		text, err := lines.Next()
		if err == io.EOF {
			break
		}
		if err == nil && !jsonl.Blank(text) {
			if err = addJudged(&list, at, text); err == nil {
				if pairs = judgedPairs(list); pairs > maxPairs {
					err = fmt.Errorf("more than %d pairs", maxPairs)
				}
			}
		} else if err != nil && !errors.Is(err, jsonl.ErrLong) {
			return nil, fmt.Errorf("%w: %s: %w", ErrDataset, name, err)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s:%d: %w", ErrDataset, name, lines.Number(), err)
		}
	}
	if pairs == 0 {
		return nil, fmt.Errorf("%w: %s: no pairs", ErrDataset, name)
	}
	list = slices.DeleteFunc(list, func(q judgedQuery) bool { return len(q.pairs) == 0 })
	for i := range list {
		if !list[i].judged {
			list[i].Grades, list[i].Unlisted = nil, nil
		}
	}
	return list, nil
}

func judgedPairs(list []judgedQuery) (n int) {
	for _, q := range list {
		n += len(q.pairs)
	}
	return n
}

// addJudged adds a line to the list.
func addJudged(list *[]judgedQuery, at map[string]int, text []byte) error {
	line, err := jsonl.Parse(text)
	if err != nil {
		return err
	}
	if line.Tokens != nil {
		return errors.New(`tokens, want texts: "query" and "passage"`)
	}
	var given struct {
		Logits     oneOrMore[*float64] `json:"logits"`
		Judgements oneOrMore[*int32]   `json:"judgements"`
		Other      []*int32            `json:"other_judgements"`
	}
	if err := json.Unmarshal(text, &given); err != nil {
		return wrongKind(err)
	}
	n := len(line.Passages)
	if len(given.Logits) != n {
		return fmt.Errorf(`%d "logits" of %d passages, want the exact logit of each, as in {"query": "a", "passage": "b", "logits": 1.5}`, len(given.Logits), n)
	}
	for _, x := range given.Logits {
		if x == nil {
			return errors.New(`null in "logits", want numbers`)
		}
		// After the measurement it would be too late: the recording could not be opened.
		if size := math.Abs(*x); size > recording.Largest || size > 0 && size < recording.Smallest {
			return fmt.Errorf(`%g in "logits", want 0 or a size from %g to %g`, *x, recording.Smallest, recording.Largest)
		}
	}
	if slices.Contains(given.Other, nil) {
		return errors.New(`null in "other_judgements", want the grades of passages that somebody judged`)
	}
	if given.Judgements != nil && len(given.Judgements) != n {
		return fmt.Errorf(`%d "judgements" of %d passages, want one each, which may be null, or none`, len(given.Judgements), n)
	}
	i, seen := at[line.Query]
	if !seen {
		i = len(*list)
		at[line.Query] = i
		*list = append(*list, judgedQuery{})
	}
	q := &(*list)[i]
	for k, passage := range line.Passages {
		q.pairs = append(q.pairs, engine.Pair{Query: line.Query, Passage: passage})
		q.Logits = append(q.Logits, *given.Logits[k])
		grade := 0
		if given.Judgements != nil && given.Judgements[k] != nil {
			grade, q.judged = int(*given.Judgements[k]), true
		}
		q.Grades = append(q.Grades, grade)
	}
	for _, grade := range given.Other {
		q.Unlisted, q.judged = append(q.Unlisted, int(*grade)), true
	}
	return nil
}

// wrongKind says what the fields hold, where encoding/json would name types of Go.
func wrongKind(err error) error {
	const want = `want numbers as "logits", whole numbers or null as "judgements", and a list of whole numbers as "other_judgements"`
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is among them: %s", e.Value, want)
	}
	return fmt.Errorf("%s: %w", want, err)
}

// oneOrMore is a value or a list of them in JSON. A field that is null is nil, as if it were
// missing.
type oneOrMore[T any] []T

func (l *oneOrMore[T]) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' || string(data) == "null" {
		return json.Unmarshal(data, (*[]T)(l))
	}
	*l = make([]T, 1)
	return json.Unmarshal(data, &(*l)[0])
}

// openJudged reads the judged pairs, if some are given, into the session and its recording.
func (s *session) openJudged() error {
	if s.Judged == "" {
		return nil
	}
	f, err := os.Open(s.Judged)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDataset, err)
	}
	defer f.Close()
	hash := sha256.New()
	j := &recording.Judged{Name: filepath.Base(s.Judged)}
	if s.judged, err = readJudged(io.TeeReader(f, hash), j.Name); err != nil {
		return err
	}
	j.SHA256 = hex.EncodeToString(hash.Sum(nil))
	for _, q := range s.judged {
		j.Queries = append(j.Queries, q.JudgedQuery)
	}
	s.rec.Judged = j
	return nil
}

// scoreJudged scores the judged pairs with the engine that is open, query by query, until its
// share of the time bound is over.
func (s *session) scoreJudged(ctx context.Context) error {
	if s.rec.Judged == nil {
		return nil
	}
	begun, limit := time.Now(), time.Duration(0)
	if s.TimeBound > 0 {
		limit = time.Duration(judgedShare * float64(s.TimeBound) / float64(len(s.Precisions)))
	}
	total := judgedPairs(s.judged)
	var got, want []float64
	queries := 0
	for queries < len(s.judged) && (queries == 0 || limit == 0 || time.Since(begun) < limit) {
		var pairs []engine.Pair
		for queries < len(s.judged) && len(pairs) < judgedStep {
			q := &s.judged[queries]
			pairs, want = append(pairs, q.pairs...), append(want, q.Logits...)
			queries++
		}
		scores, _, err := s.engine.ScoreStats(ctx, nil, pairs)
		if err != nil {
			return fmt.Errorf("bench: %s: %w", s.rec.Judged.Name, err)
		}
		for i, x := range scores {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) { // which no recording can hold
				return fmt.Errorf("bench: %s: the score of pair %d is %v", s.rec.Judged.Name, len(got)+i+1, x)
			}
		}
		got = append(got, widen(scores)...)
		s.Progress("judged pairs", len(got), total)
	}
	if e, ok := s.engine.(scaler); ok {
		got = e.logits(got, want)
	}
	of := recording.JudgedScores{Precision: s.engine.Info().Precision}
	for _, q := range s.judged[:queries] {
		of.Scores = append(of.Scores, got[:len(q.pairs):len(q.pairs)])
		got = got[len(q.pairs):]
	}
	s.rec.Judged.Scores = append(s.rec.Judged.Scores, of)
	if queries < len(s.judged) {
		s.note("%s, %s: its share of the time bound was over after %d of %d queries, and figures are of these.", s.rec.Judged.Name, of.Precision, queries, len(s.judged))
	}
	return nil
}
