package engine_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// A call tells how many tokens each pair or text has before it is cut, with its prompt: what an
// engine that cuts nothing makes of it.
func TestLengthsTo(t *testing.T) {
	for _, kind := range openers {
		t.Run(kind.name, func(t *testing.T) {
			e := kind.open(t, engine.MaxLength(40))
			tok := e.Tokenizer()
			for _, c := range []struct {
				name, prompt string
				opts         []engine.CallOption
				uncut        bool
			}{
				{"as it is", "", nil, false},
				{"a prompt", "the old city ", asking(engine.Prompt("the old city ")), false},
				{"AtMost", "", asking(engine.AtMost(9)), false},
				{"on the left", "", asking(engine.AtMost(9), engine.CutSide(tokenizer.TruncateLeft)), false},
				{"Uncut", "a ", asking(engine.Uncut(), engine.Prompt("a ")), true},
			} {
				var texts, pairs []int
				for _, p := range asked {
					texts = append(texts, tok.TextLength(c.prompt+p.Query))
					pairs = append(pairs, tok.PairLength(c.prompt+p.Query, p.Passage))
				}
				memory := make([]int, 1, 50)
				got := memory
				opts := append(c.opts, engine.LengthsTo(&got))
				check := func(of string, want []int, err error) {
					t.Helper()
					if c.uncut != errors.Is(err, engine.ErrTooLong) || !c.uncut && err != nil {
						t.Errorf("%s, %s: %v", c.name, of, err)
					}
					if !slices.Equal(got, want) || &got[0] != &memory[0] {
						t.Errorf("%s, %s: %d, want %d in the same memory", c.name, of, got, want)
					}
				}
				switch kind.name {
				case "scores":
					_, err := e.Score(t.Context(), nil, asked, opts...)
					check("Score", pairs, err)
					passages, want := []string{"nobody", asked[0].Passage}, []int{}
					ranking := []engine.RankOption{engine.TopK(1)}
					for _, o := range opts {
						ranking = append(ranking, o)
					}
					for _, p := range passages {
						want = append(want, tok.PairLength(c.prompt+"who", p))
					}
					_, err = e.Rank(t.Context(), "who", passages, ranking...)
					check("Rank", want, err)
				case "embeddings":
					_, err := e.Embed(t.Context(), nil, askedTexts(), opts...)
					check("Embed", texts, err)
				case "labels":
					_, err := e.Classify(t.Context(), nil, askedTexts(), opts...)
					check("Classify", texts, err)
					_, err = e.ClassifyPairs(t.Context(), nil, asked, opts...)
					check("ClassifyPairs", pairs, err)
				}
			}
		})
	}
}

// The default prompt is counted, too.
func TestLengthsOfThePrompt(t *testing.T) {
	e := openModular(t, modularFiles(t, askedByNature, forScores))
	var got []int
	if _, err := e.Score(t.Context(), nil, asked, engine.LengthsTo(&got)); err != nil {
		t.Fatal(err)
	}
	for i, p := range asked {
		if want := e.Tokenizer().PairLength("answer this: "+p.Query, p.Passage); got[i] != want {
			t.Errorf("pair %d: %d, want %d", i, got[i], want)
		}
	}
}

// Who has no results is told nothing, also where something was told before.
func TestToldNothing(t *testing.T) {
	e := enginetest.Open(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	stats, lengths := engine.CallStats{Pairs: 7}, []int{1, 2, 3}
	told := asking(engine.StatsTo(&stats), engine.LengthsTo(&lengths))
	var none context.Context
	for name, call := range map[string]func() error{
		"over": func() error {
			_, err := e.Score(over, nil, asked, told...)
			return err
		},
		"no context": func() error {
			_, err := e.Score(none, nil, asked, told...)
			return err
		},
		"no such prompt": func() error {
			_, err := e.Score(t.Context(), nil, asked, append(told, engine.PromptName("nobody"))...)
			return err
		},
		"no such option": func() error {
			_, err := e.ScoreTokens(t.Context(), nil, new(model.Batch), told...)
			return err
		},
		"another kind": func() error {
			_, err := e.Embed(t.Context(), nil, askedTexts(), told...)
			return err
		},
	} {
		stats, lengths = engine.CallStats{Pairs: 7}, []int{1, 2, 3}
		if err := call(); err == nil || stats != (engine.CallStats{}) || len(lengths) != 0 {
			t.Errorf("%s: %v, %+v, %d", name, err, stats, lengths)
		}
	}
	stats, lengths = engine.CallStats{Pairs: 7}, []int{1, 2, 3}
	if _, err := e.Score(t.Context(), nil, nil, told...); err != nil || stats != (engine.CallStats{}) || len(lengths) != 0 {
		t.Errorf("no pairs: %v, %+v, %d", err, stats, lengths)
	}
}

// Every method tells what its call cost, a stream once its loop has ended.
func TestStatsTo(t *testing.T) {
	var s engine.CallStats
	tell := engine.StatsTo(&s)
	check := func(of string, pairs, tokens int, err error) {
		t.Helper()
		if err != nil || s.Pairs != pairs || tokens > 0 && s.Tokens != tokens || s.Tokens < 2*pairs || s.Passes < 1 || s.Infer <= 0 {
			t.Errorf("%s: %v, %+v, want %d pairs, %d tokens", of, err, s, pairs, tokens)
		}
		s = engine.CallStats{}
	}
	e := enginetest.Open(t)
	var b model.Batch
	if err := e.Tokenize(&b, asked); err != nil {
		t.Fatal(err)
	}
	_, err := e.Score(t.Context(), nil, asked, tell)
	check("Score", len(asked), b.Tokens(), err)
	_, err = e.ScoreTokens(t.Context(), nil, &b, tell)
	check("ScoreTokens", len(asked), b.Tokens(), err)
	_, err = e.Rank(t.Context(), "a", []string{"b", "c"}, engine.TopK(1), tell)
	check("Rank", 2, 10, err)
	stream := e.Stream(t.Context(), slices.Values(asked), tell)
	for range 2 { // which tells anew each time
		_, err = valuesOf(stream, addScore)
		check("Stream", len(asked), b.Tokens(), err)
	}
	for range stream { // and also if it is left early
		if s != (engine.CallStats{}) {
			t.Errorf("told within the loop: %+v", s)
		}
		break
	}
	if s.Pairs < 1 || s.Pairs > len(asked) || s.Infer <= 0 {
		t.Errorf("a stream that is left: %+v", s)
	}
	embeds, labels := enginetest.OpenEmbedder(t), enginetest.OpenClassifier(t)
	_, err = embeds.Embed(t.Context(), nil, []string{"a", "b c"}, tell)
	check("Embed", 2, 7, err)
	_, err = valuesOf(embeds.EmbedStream(t.Context(), slices.Values([]string{"a", "b c"}), tell), addRow)
	check("EmbedStream", 2, 7, err)
	_, err = labels.Classify(t.Context(), nil, []string{"a", "b c"}, tell)
	check("Classify", 2, 7, err)
	_, err = labels.ClassifyPairs(t.Context(), nil, []engine.Pair{{Query: "a", Passage: "b"}}, tell)
	check("ClassifyPairs", 1, 5, err)
}

// Info says what a cross-encoder's files want to be done to its logits, by whichever of their
// fields.
func TestInfoTellsSigmoid(t *testing.T) {
	silent := modularFiles(t, `{"model_type":"CrossEncoder"}`, forScores)
	config := silent["config.json"]
	config.Data = bytes.Replace(config.Data, []byte(`"sbert_ce_default_activation_function"`), []byte(`"nothing"`), 1)
	if info := openModular(t, silent).Info(); !info.Sigmoid || info.Config.Activation != model.Sigmoid {
		t.Error("files that name nothing mean the sigmoid, for one label")
	}
	if enginetest.Open(t).Info().Sigmoid {
		t.Error("files that name the identity do not mean the sigmoid")
	}
	for name, want := range map[string]bool{"torch.nn.modules.linear.Identity": false, "torch.nn.modules.activation.Sigmoid": true, "torch.nn.modules.activation.Tanh": false} {
		settings := `{"model_type":"CrossEncoder","activation_fn":"` + name + `"}`
		for _, opts := range [][]engine.Option{nil, opened(engine.Sigmoid())} { // whatever the caller wants
			if info := openModular(t, modularFiles(t, settings, forScores), opts...).Info(); info.Sigmoid != want {
				t.Errorf("%s: %t, want %t", name, info.Sigmoid, want)
			}
		}
	}
	if enginetest.OpenEmbedder(t).Info().Sigmoid || enginetest.OpenClassifier(t).Info().Sigmoid {
		t.Error("only scores have it")
	}
}
