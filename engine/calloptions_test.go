package engine_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// setting is what a call may ask of an engine, and the options of one that does so unasked.
type setting struct {
	name string
	of   []engine.Option // of the engine that is asked
	call []engine.CallOption
	same []engine.Option
}

func asking(opts ...engine.CallOption) []engine.CallOption { return opts }
func opened(opts ...engine.Option) []engine.Option         { return opts }

// cuts are about the tokens of texts, which all kinds of engines make.
func cuts() []setting {
	left, right := tokenizer.TruncateLeft, tokenizer.TruncateRight
	return []setting{
		{"nothing", nil, nil, nil},
		{"nil", nil, asking(nil, nil), nil},
		{"AtMost", nil, asking(engine.AtMost(16)), opened(engine.MaxLength(16))},
		{"the least", nil, asking(engine.AtMost(3)), opened(engine.MaxLength(3))},
		{"the last", nil, asking(engine.AtMost(5), engine.AtMost(17)), opened(engine.MaxLength(17))},
		{"more than the engine's", opened(engine.MaxLength(12)), asking(engine.AtMost(400)), opened(engine.MaxLength(12))},
		{"CutSide", opened(engine.MaxLength(20)), asking(engine.CutSide(left)), opened(engine.MaxLength(20), engine.Truncation(left))},
		{"the other side", opened(engine.MaxLength(20), engine.Truncation(left)), asking(engine.CutSide(right)), opened(engine.MaxLength(20))},
		{"AtMost on a side", nil, asking(engine.AtMost(17), engine.CutSide(left)), opened(engine.MaxLength(17), engine.Truncation(left))},
		{"Uncut of what fits", nil, asking(engine.Uncut()), nil},
	}
}

// openers are the kinds of engines, each with what only it can be asked, and all that it answers.
var openers = []struct {
	name     string
	open     func(testing.TB, ...engine.Option) *engine.Engine
	settings []setting
	answers  func(e *engine.Engine, opts []engine.CallOption) ([]float32, error)
}{
	{"scores", enginetest.Open, []setting{
		{"RawScores", opened(engine.Sigmoid()), asking(engine.RawScores()), nil},
		{"SigmoidScores", nil, asking(engine.SigmoidScores()), opened(engine.Sigmoid())},
		{"as it is", nil, asking(engine.RawScores()), nil},
		{"as it is, sigmoid", opened(engine.Sigmoid()), asking(engine.SigmoidScores()), opened(engine.Sigmoid())},
		{"the last, raw", opened(engine.Sigmoid()), asking(engine.SigmoidScores(), engine.RawScores()), nil},
		{"the last, sigmoid", nil, asking(engine.RawScores(), engine.SigmoidScores()), opened(engine.Sigmoid())},
		{"all together", nil, asking(engine.SigmoidScores(), engine.AtMost(14), engine.CutSide(tokenizer.TruncateLeft), engine.Prompt("")), opened(engine.Sigmoid(), engine.MaxLength(14), engine.Truncation(tokenizer.TruncateLeft))},
	}, answersOfScores},
	{"embeddings", enginetest.OpenEmbedder, nil, answersOfEmbeddings},
	{"labels", enginetest.OpenClassifier, []setting{
		{"RawScores", nil, asking(engine.RawScores()), opened(engine.Logits())},
		{"as it is", opened(engine.Logits()), asking(engine.RawScores()), opened(engine.Logits())},
	}, answersOfLabels},
}

// asked are pairs that short limits cut in every way.
var asked = []engine.Pair{
	{Query: "how many people live in the city", Passage: strings.Repeat("many people live in the city by the river ", 9)},
	{Query: strings.Repeat("who lives in the old city ", 12), Passage: "nobody"},
	{Query: strings.Repeat("the people of the river ", 8), Passage: strings.Repeat("rain falls on the city ", 8)},
	{}, {Query: "a cell"}, {Passage: "the unit of life"},
}

func askedTexts() (texts []string) {
	for _, p := range asked {
		texts = append(texts, p.Query)
	}
	return texts
}

// valuesOf joins the values of a stream, and its errors.
func valuesOf[T any](stream iter.Seq2[T, error], add func([]float32, T) []float32) (values []float32, err error) {
	for one, failed := range stream {
		values, err = add(values, one), errors.Join(err, failed)
	}
	return values, err
}

func addScore(to []float32, score float32) []float32 { return append(to, score) }
func addRow(to, row []float32) []float32             { return append(to, row...) }

func answersOfScores(e *engine.Engine, opts []engine.CallOption) ([]float32, error) {
	ctx := background
	scores, err1 := e.Score(ctx, nil, asked, opts...)
	streamed, err2 := valuesOf(e.Stream(ctx, slices.Values(asked), opts...), addScore)
	var ranking []engine.RankOption
	for _, o := range opts {
		ranking = append(ranking, o)
	}
	passages := make([]string, len(asked))
	for i, p := range asked {
		passages[i] = p.Passage
	}
	ranked, err3 := e.Rank(ctx, asked[0].Query, passages, ranking...)
	if err := errors.Join(err1, err2, err3); err != nil || !slices.Equal(scores, streamed) {
		return nil, fmt.Errorf("%g, the stream %g, %w", scores, streamed, err)
	}
	for _, r := range ranked {
		scores = append(scores, float32(r.Index), r.Score)
	}
	return scores, nil
}

func answersOfEmbeddings(e *engine.Engine, opts []engine.CallOption) ([]float32, error) {
	rows, err1 := e.Embed(background, nil, askedTexts(), opts...)
	streamed, err2 := valuesOf(e.EmbedStream(background, slices.Values(askedTexts()), opts...), addRow)
	if err := errors.Join(err1, err2); err != nil || !slices.Equal(rows, streamed) {
		return nil, fmt.Errorf("%g, the stream %g, %w", rows, streamed, err)
	}
	return rows, nil
}

func answersOfLabels(e *engine.Engine, opts []engine.CallOption) ([]float32, error) {
	texts, err1 := e.Classify(background, nil, askedTexts(), opts...)
	pairs, err2 := e.ClassifyPairs(background, nil, asked, opts...)
	streamed, err3 := valuesOf(e.ClassifyStream(background, slices.Values(askedTexts()), opts...), addRow)
	streamedPairs, err4 := valuesOf(e.ClassifyPairsStream(background, slices.Values(asked), opts...), addRow)
	if err := errors.Join(err1, err2, err3, err4); err != nil || !slices.Equal(texts, streamed) || !slices.Equal(pairs, streamedPairs) {
		return nil, fmt.Errorf("%g %g, the streams %g %g, %w", texts, pairs, streamed, streamedPairs, err)
	}
	return append(texts, pairs...), nil
}

// A call with options has, bit for bit, the results of an engine that was opened so: alone, and
// among calls with other options.
func TestCallsAsIfOpenedSo(t *testing.T) {
	for _, kind := range openers {
		t.Run(kind.name, func(t *testing.T) {
			all := append(cuts(), kind.settings...)
			plain := kind.open(t)
			open := func(opts []engine.Option) *engine.Engine {
				if len(opts) == 0 {
					return plain
				}
				return kind.open(t, opts...)
			}
			want := make([][]float32, len(all))
			for i, s := range all {
				var err error
				if want[i], err = kind.answers(open(s.same), nil); err != nil {
					t.Fatalf("%s: %v", s.name, err)
				}
				if got, err := kind.answers(open(s.of), s.call); err != nil || !slices.Equal(got, want[i]) {
					t.Errorf("%s: %v: %g, want %g", s.name, err, got, want[i])
				}
			}
			var callers sync.WaitGroup
			for range 3 {
				for i, s := range all {
					if s.of != nil {
						continue
					}
					callers.Go(func() {
						if got, err := kind.answers(plain, s.call); err != nil || !slices.Equal(got, want[i]) {
							t.Errorf("%s, in a crowd: %v: %g, want %g", s.name, err, got, want[i])
						}
					})
				}
			}
			callers.Wait()
		})
	}
}

// Pairs that are tokens already have raw or sigmoid scores like others, and Tokenize cuts like
// Score.
func TestOptionsOfTokens(t *testing.T) {
	raw, bounded := enginetest.Open(t), enginetest.Open(t, engine.Sigmoid())
	for _, s := range cuts() {
		var got, want model.Batch
		if err := errors.Join(enginetest.Open(t, s.of...).Tokenize(&got, asked, s.call...), enginetest.Open(t, s.same...).Tokenize(&want, asked)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.IDs, want.IDs) || !slices.Equal(got.Types, want.Types) || !slices.Equal(got.Start, want.Start) {
			t.Errorf("%s: %d, want %d", s.name, got.IDs, want.IDs)
		}
		sequences := func(yield func(engine.Tokens) bool) {
			for i := range got.Len() {
				lo, hi := got.Bounds(i)
				if !yield(engine.Tokens{IDs: got.IDs[lo:hi], Types: got.Types[lo:hi]}) {
					return
				}
			}
		}
		for _, c := range []struct {
			e, same *engine.Engine
			opt     engine.CallOption
		}{{raw, bounded, engine.SigmoidScores()}, {bounded, raw, engine.RawScores()}} {
			scores, err := c.same.ScoreTokens(t.Context(), nil, &got)
			asked, failed := c.e.ScoreTokens(t.Context(), nil, &got, c.opt)
			streamed, broken := valuesOf(c.e.StreamTokens(t.Context(), sequences, c.opt), addScore)
			if err := errors.Join(err, failed, broken); err != nil || !slices.Equal(asked, scores) || !slices.Equal(streamed, scores) {
				t.Errorf("%s: %v: %g, streamed %g, want %g", s.name, err, asked, streamed, scores)
			}
		}
	}
}

// Where a prompt is left out of what is pooled, it is cut as the call wants, too.
func TestAtMostOfAPromptThatIsLeftOut(t *testing.T) {
	open := func(opts ...engine.Option) *engine.Engine {
		e, err := engine.OpenFS(embedder(t, skipping(`"mean"`), nil), append(opts, engine.Embedder(), engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		return e
	}
	prompt := engine.Prompt("how many people live in the city ")
	e := open()
	for _, most := range []int{3, 5, 8, 9, 12, 30} { // cut in the prompt, behind it, and not at all
		want, err := open(engine.MaxLength(most)).Embed(t.Context(), nil, askedTexts(), prompt)
		got, failed := e.Embed(t.Context(), nil, askedTexts(), engine.AtMost(most), prompt)
		if err := errors.Join(err, failed); err != nil || !slices.Equal(got, want) {
			t.Errorf("at most %d: %v: %g, want %g", most, err, got, want)
		}
	}
}
