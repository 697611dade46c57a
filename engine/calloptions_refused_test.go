package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

var background = context.Background()

// givers are the methods that take options, each as what it says of one, and those that it
// follows.
var givers = []struct {
	name, open, takes string
	call              func(*engine.Engine, engine.CallOption) error
}{
	{"Score", "scores", "Prompt RawScores SigmoidScores AtMost CutSide Uncut StatsTo LengthsTo", func(e *engine.Engine, o engine.CallOption) error {
		_, err := e.Score(background, nil, []engine.Pair{{}}, o)
		return err
	}},
	{"Rank", "scores", "Prompt RawScores SigmoidScores AtMost CutSide Uncut StatsTo LengthsTo", func(e *engine.Engine, o engine.CallOption) error {
		_, err := e.Rank(background, "", []string{""}, o)
		return err
	}},
	{"ScoreTokens", "scores", "RawScores SigmoidScores StatsTo", func(e *engine.Engine, o engine.CallOption) error {
		_, err := e.ScoreTokens(background, nil, &model.Batch{IDs: []int32{101}, Types: []int32{0}, Start: []int32{0, 1}}, o)
		return err
	}},
	{"Stream", "scores", "Prompt RawScores SigmoidScores AtMost CutSide Uncut StatsTo", func(e *engine.Engine, o engine.CallOption) error {
		return streamed(e.Stream(background, slices.Values([]engine.Pair{{}}), o), 1)
	}},
	{"StreamTokens", "scores", "RawScores SigmoidScores StatsTo", func(e *engine.Engine, o engine.CallOption) error {
		return streamed(e.StreamTokens(background, slices.Values([]engine.Tokens{{IDs: []int32{101}, Types: []int32{0}}}), o), 1)
	}},
	{"Tokenize", "scores", "Prompt AtMost CutSide Uncut", func(e *engine.Engine, o engine.CallOption) error {
		return e.Tokenize(new(model.Batch), []engine.Pair{{}}, o)
	}},
	{"Embed", "embeddings", "Prompt AtMost CutSide Uncut StatsTo LengthsTo Unnormalized", func(e *engine.Engine, o engine.CallOption) error {
		_, err := e.Embed(background, nil, []string{""}, o)
		return err
	}},
	{"EmbedTokens", "embeddings", "StatsTo Unnormalized", func(e *engine.Engine, o engine.CallOption) error {
		_, err := e.EmbedTokens(background, nil, &model.Batch{IDs: []int32{101}, Types: []int32{0}, Start: []int32{0, 1}}, o)
		return err
	}},
	{"EmbedStream", "embeddings", "Prompt AtMost CutSide Uncut StatsTo Unnormalized", func(e *engine.Engine, o engine.CallOption) error {
		_, err := valuesOf(e.EmbedStream(background, slices.Values([]string{""}), o), addRow)
		return err
	}},
	{"Classify", "labels", "Prompt RawScores AtMost CutSide Uncut StatsTo LengthsTo", func(e *engine.Engine, o engine.CallOption) error {
		_, err := e.Classify(background, nil, []string{""}, o)
		return err
	}},
	{"ClassifyPairs", "labels", "Prompt RawScores AtMost CutSide Uncut StatsTo LengthsTo", func(e *engine.Engine, o engine.CallOption) error {
		_, err := e.ClassifyPairs(background, nil, []engine.Pair{{}}, o)
		return err
	}},
	{"ClassifyStream", "labels", "Prompt RawScores AtMost CutSide Uncut StatsTo", func(e *engine.Engine, o engine.CallOption) error {
		_, err := valuesOf(e.ClassifyStream(background, slices.Values([]string{""}), o), addRow)
		return err
	}},
	{"ClassifyPairsStream", "labels", "Prompt RawScores AtMost CutSide Uncut StatsTo", func(e *engine.Engine, o engine.CallOption) error {
		_, err := valuesOf(e.ClassifyPairsStream(background, slices.Values([]engine.Pair{{}}), o), addRow)
		return err
	}},
}

// Every method follows an option or says that it cannot, and a value that makes no sense is an
// error of its own.
func TestOptionsThatDoNotApply(t *testing.T) {
	engines := map[string]*engine.Engine{}
	for _, kind := range openers {
		engines[kind.name] = kind.open(t)
	}
	options := map[string]engine.CallOption{
		"Prompt": engine.Prompt("a "), "RawScores": engine.RawScores(), "SigmoidScores": engine.SigmoidScores(), "AtMost": engine.AtMost(9),
		"CutSide": engine.CutSide(tokenizer.TruncateLeft), "Uncut": engine.Uncut(),
		"StatsTo": engine.StatsTo(new(engine.CallStats)), "LengthsTo": engine.LengthsTo(new([]int)), "Unnormalized": engine.Unnormalized(),
	}
	for _, m := range givers {
		e, takes := engines[m.open], strings.Fields(m.takes)
		least := 2 // special tokens, of a text
		if m.open == "scores" || strings.Contains(m.name, "Pairs") {
			least = 3
		}
		for name, option := range options {
			err := m.call(e, option)
			if slices.Contains(takes, name) {
				if err != nil {
					t.Errorf("%s with %s: %v", m.name, name, err)
				}
				continue
			}
			want := "engine: " + m.name + ": the option " + name + " does not apply"
			if err == nil || err.Error() != want {
				t.Errorf("%s with %s: %v, want %q", m.name, name, err, want)
			}
		}
		for want, option := range map[string]engine.CallOption{
			fmt.Sprintf("AtMost(%d): want at least %d tokens, for the special tokens", least-1, least): engine.AtMost(least - 1),
			fmt.Sprintf("AtMost(-1): want at least %d tokens, for the special tokens", least):          engine.AtMost(-1),
			fmt.Sprintf("AtMost(0): want at least %d tokens, for the special tokens", least):           engine.AtMost(0),
			"CutSide(2): want TruncateRight or TruncateLeft":                                           engine.CutSide(2),
		} {
			if name, _, _ := strings.Cut(want, "("); !slices.Contains(takes, name) {
				continue
			}
			if err := m.call(e, option); err == nil || err.Error() != "engine: "+m.name+": "+want {
				t.Errorf("%s: %v, want %q", m.name, err, want)
			}
		}
		for name, nothing := range map[string]engine.CallOption{"StatsTo(nil)": engine.StatsTo(nil), "LengthsTo(nil)": engine.LengthsTo(nil)} {
			if err := m.call(e, nothing); err != nil {
				t.Errorf("%s with %s: %v", m.name, name, err)
			}
		}
	}
}

// What would have to be cut is an error of its own where the call forbids it, with its tokens and
// their limit, and the others have the results that they have without the option.
func TestUncut(t *testing.T) {
	long := strings.Repeat("city ", 30)
	want := func(t *testing.T, err error, index, tokens, limit int, single bool) {
		t.Helper()
		var pair *engine.PairError
		var text *engine.TextError
		var long *engine.TooLongError
		switch {
		case !errors.Is(err, engine.ErrTooLong) || !errors.Is(err, tokenizer.ErrTooLong) || !errors.As(err, &long):
			t.Errorf("error %v", err)
		case long.Tokens != tokens || long.Limit != limit:
			t.Errorf("%d tokens, limit %d, want %d, %d", long.Tokens, long.Limit, tokens, limit)
		case single && (!errors.As(err, &text) || text.Index != index), !single && (!errors.As(err, &pair) || pair.Index != index):
			t.Errorf("error %v, want one of number %d", err, index)
		case single != strings.HasPrefix(err.Error(), "text "):
			t.Errorf("error %v", err)
		}
	}
	pairs := []engine.Pair{{Query: "a", Passage: "b"}, {Query: "who", Passage: long}, {Query: "c", Passage: "d"}}
	e := enginetest.Open(t)
	fit := score(t, e, pairs)
	for _, most := range []int{8, 20, 33} {
		scores, err := e.Score(t.Context(), nil, pairs, engine.Uncut(), engine.AtMost(most), engine.CutSide(tokenizer.TruncateLeft))
		want(t, err, 1, 34, most, false)
		if len(scores) != 3 || scores[0] != fit[0] || !math.IsNaN(float64(scores[1])) || scores[2] != fit[2] {
			t.Errorf("%g, want %g", scores, fit)
		}
	}
	if scores, err := e.Score(t.Context(), nil, pairs, engine.Uncut(), engine.AtMost(34)); err != nil || !slices.Equal(scores, fit) {
		t.Errorf("%g, %v: nothing is too long", scores, err)
	}
	ranked, err := e.Rank(t.Context(), "who", []string{"b", long}, engine.AtMost(10), engine.Uncut())
	want(t, err, 1, 34, 10, false)
	if len(ranked) != 2 || ranked[1].Index != 1 || !math.IsNaN(float64(ranked[1].Score)) {
		t.Errorf("%v", ranked)
	}
	_, err = valuesOf(e.Stream(t.Context(), slices.Values(pairs), engine.AtMost(10), engine.Uncut()), addScore)
	want(t, err, 1, 34, 10, false)
	if says := "pair 1: too long: 34 tokens, want at most 10, since the option Uncut cuts none"; err == nil || err.Error() != says {
		t.Errorf("error %v, want %q", err, says)
	}
	var b model.Batch
	want(t, e.Tokenize(&b, pairs, engine.AtMost(10), engine.Uncut()), 1, 34, 10, false)
	if b.Len() != 0 {
		t.Errorf("%d sequences", b.Len())
	}
	_, err = e.Score(t.Context(), nil, pairs, engine.Uncut(), engine.AtMost(34), engine.Prompt("the old "))
	want(t, err, 1, 36, 34, false)

	texts := []string{"a", long}
	_, err = enginetest.OpenEmbedder(t, engine.MaxLength(16)).Embed(t.Context(), nil, texts, engine.Uncut())
	want(t, err, 1, 32, 16, true)
	_, err = valuesOf(enginetest.OpenEmbedder(t).EmbedStream(t.Context(), slices.Values(texts), engine.Uncut(), engine.AtMost(31)), addRow)
	want(t, err, 1, 32, 31, true)
	labels := enginetest.OpenClassifier(t)
	_, err = labels.Classify(t.Context(), nil, texts, engine.Uncut(), engine.AtMost(31))
	want(t, err, 1, 32, 31, true)
	_, err = labels.ClassifyPairs(t.Context(), nil, pairs, engine.Uncut(), engine.AtMost(31))
	want(t, err, 1, 34, 31, false)
}

// A pair that the checkpoint's files do not cut says how long it is, too.
func TestTooLongByTheFiles(t *testing.T) {
	input := strings.TrimSuffix(forScores, "}") + `,"processing_kwargs":{"text":{"max_length":16,"truncation":"only_second"}}}`
	e := openModular(t, modularFiles(t, `{"model_type":"CrossEncoder"}`, input))
	_, err := e.Score(t.Context(), nil, []engine.Pair{{Query: strings.Repeat("cell ", 20), Passage: "a"}})
	var long *engine.TooLongError
	if !errors.As(err, &long) || long.Tokens != 24 || long.Limit != 16 || !strings.HasSuffix(err.Error(), "leaves no room for it in 16 tokens; there are 24") {
		t.Errorf("%+v, %v", long, err)
	}
}
