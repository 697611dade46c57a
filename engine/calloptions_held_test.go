package engine

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// steep is a device on which a sequence's score is 20 and its number of tokens, of which the
// sigmoid is 1 in float32.
type steep struct{ *held }

type steepPass struct{ *heldPass }

func (d steep) Begin(b *model.Batch) (model.Pass, error) {
	return steepPass{&heldPass{d.held, b, nil}}, nil
}

func (p steepPass) Pool(_ []model.Reduce, rows []float32) error {
	scores := make([]float32, p.b.Len())
	for i := range scores {
		lo, hi := p.b.Bounds(i)
		scores[i] = float32(20 + hi - lo)
	}
	spreadOut(rows, scores)
	return nil
}

// Rank sorts by logits, whatever it returns: where all sigmoids are 1, the order is theirs, and
// equal logits keep the order of their passages.
func TestRankByLogits(t *testing.T) {
	for _, opts := range [][]Option{nil, {Sigmoid()}} {
		e, d := openHeld(t, 1, opts...)
		e.device = steep{d}
		passages := []string{"a", "a b c", "b", "a b", "b c a"}
		for _, c := range []struct {
			opt RankOption
			raw bool
		}{{nil, len(opts) == 0}, {SigmoidScores(), false}, {RawScores(), true}} {
			got, err := e.Rank(t.Context(), "q", passages, c.opt, TopK(4))
			want := []Result{{Index: 1, Score: 27}, {Index: 4, Score: 27}, {Index: 3, Score: 26}, {Index: 0, Score: 25}}
			for i := range want {
				if !c.raw {
					want[i].Score = 1
				}
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		}
	}
}

// A sigmoid is computed in float64 and rounded once.
func TestSigmoidIsExact(t *testing.T) {
	for logit, want := range map[float32]float32{0: 0.5, 1: 0.7310585786300049, -1: 0.2689414213699951, 20: 1, -100: 3.783505853677006e-44, 16: 0.9999998874648379, -16: 1.1253516205509499e-07} {
		if got := model.SigmoidOf(logit); got != want {
			t.Errorf("of %g: %g, want %g", logit, got, want)
		}
	}
	if !math.IsNaN(float64(model.SigmoidOf(float32(math.NaN())))) {
		t.Error("no number became one")
	}
}

// Calls with different options share a pass.
func TestOptionsShareAPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1)
		first := start(t.Context(), e, 200)
		busy := <-d.begun
		var lengths []int
		options := [][]CallOption{nil, {SigmoidScores()}, {AtMost(4), RawScores()}, {CutSide(tokenizer.TruncateLeft), AtMost(5)}, {Uncut(), LengthsTo(&lengths)}}
		answers := make([]chan result, len(options))
		for i, opts := range options {
			answers[i] = make(chan result, 1)
			go func() {
				scores, err := e.Score(t.Context(), nil, []Pair{{"the city", "by the river"}}, opts...)
				answers[i] <- result{scores, err}
			}()
			synctest.Wait()
		}
		busy.goOn()
		(<-first).check(t, 200)
		together := <-d.begun
		var counts []int
		for i := range together.b.Len() {
			lo, hi := together.b.Bounds(i)
			counts = append(counts, int(hi-lo))
		}
		if !slices.Equal(counts, []int{8, 8, 4, 5, 8}) {
			t.Errorf("sequences of %d tokens, want 8, 8, 4, 5, 8 in one pass", counts)
		}
		class := float32(together.first(0))
		together.goOn()
		for i, answer := range answers {
			want := class
			if i == 1 {
				want = 1
			}
			(<-answer).check(t, want)
		}
		if !slices.Equal(lengths, []int{8}) {
			t.Errorf("lengths %d", lengths)
		}
	})
}

// A call that has ended early is told nothing later: its caller may use the memory.
func TestLengthsOfACallThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1, MaxQueue(1))
		first := start(t.Context(), e, 200)
		busy := <-d.begun
		waiting := start(t.Context(), e, 300)
		synctest.Wait()
		stats, lengths := CallStats{Pairs: 3}, []int{1, 2}
		if scores, err := e.Score(t.Context(), nil, []Pair{{"a", "b"}}, StatsTo(&stats), LengthsTo(&lengths)); err == nil || scores != nil || stats != (CallStats{}) || len(lengths) != 0 {
			t.Errorf("a refused call: %g, %v, %+v, %d", scores, err, stats, lengths)
		}
		busy.goOn()
		(<-first).check(t, 200)
		(<-d.begun).goOn()
		(<-waiting).check(t, 300)
	})
}
