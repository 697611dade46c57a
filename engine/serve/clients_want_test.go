package serve_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// wants is what a case must come to.
type wants struct {
	statuses []int                        // of the client's requests, in order
	dialect  string                       // of all answers; "" for any
	result   func(s *stage, a told) error // whether what the client has is right
}

// check compares a case with what the server was asked and what the client got.
func (w wants) check(t *testing.T, s *stage, name string, a told, requests []request) {
	t.Helper()
	var statuses []int
	for _, r := range requests {
		statuses = append(statuses, r.Status)
		if seconds, err := strconv.Atoi(r.Retry); r.Status == 429 && (err != nil || seconds < 1 || seconds > 30) {
			t.Errorf("%s: Retry-After: %q, want some seconds", name, r.Retry)
		}
		if w.dialect != "" && r.Dialect != w.dialect {
			t.Errorf("%s: %v, want the dialect %s", name, r, w.dialect)
		}
	}
	if !slices.Equal(statuses, w.statuses) {
		t.Errorf("%s: requests %v, want the statuses %v", name, requests, w.statuses)
	}
	if err := w.result(s, a); err != nil {
		t.Errorf("%s: %v\nthe client has %s", name, err, a.all)
	}
}

// texts chooses what was asked.
type texts func(*asked) []string

func docs(a *asked) []string { return a.Documents }
func many(a *asked) []string { return a.Many }
func long(a *asked) []string { return a.Long }

// short are the long ones after the first has lost all tokens but Cut: each word is one.
func short(a *asked) []string {
	return []string{strings.Join(strings.Fields(a.Long[0])[:a.Cut], " "), a.Long[1]}
}

// What scores are, by the model's logit.
func itself(x float32) float32    { return x }
func sigmoidOf(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

// pairsOf pairs the query with each text.
func pairsOf(query string, of []string) []engine.Pair {
	var pairs []engine.Pair
	for _, text := range of {
		pairs = append(pairs, engine.Pair{Query: query, Passage: text})
	}
	return pairs
}

// ranked are the indices of the best scores, best first, equal ones in their order; all if top is
// 0.
func ranked(scores []float32, top int) []int {
	var order []int
	for i := range scores {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	if top > 0 {
		return order[:top]
	}
	return order
}

// logits are the engine's scores of the texts.
func (s *stage) logits(of texts, opts ...engine.CallOption) ([]float32, error) {
	return s.ranker.Score(s.ctx, nil, pairsOf(s.ask.Query, of(&s.ask)), append(opts, engine.RawScores())...)
}

// ranking wants the texts best first, all of them if top is 0, and a function of their logits for
// scores. Documents may come with them.
func ranking(of texts, top int, scale func(float32) float32, opts ...engine.CallOption) func(*stage, told) error {
	return func(s *stage, a told) error {
		logits, err := s.logits(of, opts...)
		if err != nil {
			return err
		}
		order := ranked(logits, top)
		if a.Error != "" || !slices.Equal(a.Order, order) || len(a.Scores) != len(order) {
			return fmt.Errorf("the order is %v, want %v", a.Order, order)
		}
		for k, i := range order {
			if got, want := a.Scores[k], scale(logits[i]); float32(got) != want {
				return fmt.Errorf("text %d has the score %v, want %v", i, got, want)
			}
			if a.Documents != nil && a.Documents[k] != of(&s.ask)[i] {
				return fmt.Errorf("text %d is %q", i, a.Documents[k])
			}
		}
		return nil
	}
}

// nothingRanked wants no error and no texts.
func nothingRanked(_ *stage, a told) error {
	if a.Error != "" || len(a.Order) > 0 {
		return errors.New("an error or a text, want neither")
	}
	return nil
}

// withTexts wants what another does, and the documents.
func withTexts(result func(*stage, told) error) func(*stage, told) error {
	return func(s *stage, a told) error {
		if len(a.Documents) == 0 {
			return errors.New("no documents")
		}
		return result(s, a)
	}
}

// withoutTexts wants what another does, and no documents.
func withoutTexts(result func(*stage, told) error) func(*stage, told) error {
	return func(s *stage, a told) error {
		if len(a.Documents) > 0 {
			return errors.New("documents, want none")
		}
		return result(s, a)
	}
}

// inOrder wants scores in the order of the texts.
func inOrder(of texts, scale func(float32) float32) func(*stage, told) error {
	return func(s *stage, a told) error {
		logits, err := s.logits(of)
		if err != nil {
			return err
		}
		if a.Error != "" || len(a.InOrder) != len(logits) {
			return fmt.Errorf("%d scores, want %d", len(a.InOrder), len(logits))
		}
		for i, logit := range logits {
			if want := scale(logit); float32(a.InOrder[i]) != want {
				return fmt.Errorf("text %d has the score %v, want %v", i, a.InOrder[i], want)
			}
		}
		return nil
	}
}

// raised wants an error of a type whose text has all of these.
func raised(kind string, has ...string) func(*stage, told) error {
	return func(_ *stage, a told) error {
		if a.Error != kind {
			return fmt.Errorf("the error is %q, want %q", a.Error, kind)
		}
		for _, text := range has {
			if !strings.Contains(a.Text, text) {
				return fmt.Errorf("%q is not in the error's text", text)
			}
		}
		return nil
	}
}

// is wants exactly this JSON, but for white space.
func is(want string) func(*stage, told) error {
	return func(_ *stage, a told) error {
		if got := strings.Join(strings.Fields(string(a.all)), ""); got != want {
			return fmt.Errorf("got %s, want %s", got, want)
		}
		return nil
	}
}

// asked returns the wants of a client that asks once and is answered.
func answered(result func(*stage, told) error) wants {
	return wants{statuses: []int{200}, result: result}
}

// refusedAs returns those of one that asks once and gets a status.
func refusedAs(status int, result func(*stage, told) error) wants {
	return wants{statuses: []int{status}, result: result}
}

// again returns those of one that is refused since the server is busy, and asks again by itself.
func again(result func(*stage, told) error) wants {
	return wants{statuses: []int{429, 200}, result: result}
}

// unsent returns those of one that does not ask at all.
func unsent(result func(*stage, told) error) wants { return wants{result: result} }

// as sets the dialect.
func (w wants) as(dialect string) wants {
	w.dialect = dialect
	return w
}

// normalised wants the order of ranking, and scores that Dify has moved to lie between 0 and 1.
func normalised(of texts, top int) func(*stage, told) error {
	return func(s *stage, a told) error {
		logits, err := s.logits(of)
		if err != nil {
			return err
		}
		order := ranked(logits, top)
		if a.Error != "" || !slices.Equal(a.Order, order) || len(a.Scores) != len(order) {
			return fmt.Errorf("the order is %v, want %v", a.Order, order)
		}
		score := func(k int) float64 { return float64(sigmoidOf(logits[order[k]])) }
		most, least := score(0), score(len(order)-1)
		for k := range order {
			if want := (score(k) - least) / (most - least); math.Abs(a.Scores[k]-want) > 1e-6 {
				return fmt.Errorf("rank %d has the score %v, want %v", k, a.Scores[k], want)
			}
		}
		return nil
	}
}
