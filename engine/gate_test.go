package engine

import (
	"math"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// scorer is a device whose scores are a function of the sequence's length and of its
// place in the batch.
type scorer func(place, length int) float64

func (s scorer) Name() string                             { return "scorer" }
func (s scorer) Passes() int                              { return 1 }
func (s scorer) Close() error                             { return nil }
func (s scorer) Begin(b *model.Batch) (model.Pass, error) { return scorerPass{b, s}, nil }

type scorerPass struct {
	b *model.Batch
	scorer
}

func (p scorerPass) Embed()                    {}
func (p scorerPass) Attention(int, model.Rows) {}
func (p scorerPass) FeedForward(int)           {}
func (p scorerPass) Hidden([]float32) error    { return nil }
func (p scorerPass) End()                      {}
func (p scorerPass) Pool(_ []model.Reduce, rows []float32) error {
	scores := make([]float32, p.b.Len())
	defer spreadOut(rows, scores)
	for i := range scores {
		lo, hi := p.b.Bounds(i)
		scores[i] = float32(p.scorer(i, hi-lo))
	}
	return nil
}

// The scores of short pairs, of all lengths and of the longest alone decide. An error
// that all have in common does not.
func TestGate(t *testing.T) {
	shape := synth.Shape{Layers: 1, Hidden: 8, Heads: 1, Intermediate: 8, Vocab: 30522, Positions: 512, Types: 2, Labels: 1}
	e := openShape(t, 1, shape, Precision("f32"), Device("cpu"))
	e.head = firstValues{8}
	exactScore := func(place, length int) float64 { return 1.74 * math.Sqrt2 * math.Sin(float64(place*7+length)) }
	off := func(at func(length int) bool, by float64) scorer {
		return func(place, length int) float64 {
			s := exactScore(place, length)
			if at(length) {
				s += by
			}
			return s
		}
	}
	always := func(int) bool { return true }
	for _, test := range []struct {
		name string
		of   scorer
		want bool
	}{
		{"the same", exactScore, true},
		{"all off alike", off(always, 5), true},
		{"every second off by a little", func(place, length int) float64 { return exactScore(place, length) + 0.1*float64(place%2) }, true},
		{"every second off by much", func(place, length int) float64 { return exactScore(place, length) + float64(place%2) }, false},
		// An int8 that was off by 1.7 on a pair of 269 tokens, where the deviation is
		// 1.74, had passed a gate of short pairs.
		{"one near 300 tokens off", off(func(n int) bool { return n > 269 && n < 300 }, 1.7), false},
		{"all from 269 tokens off", off(func(n int) bool { return n >= 269 }, 1.7), false},
		{"the longest off", off(func(n int) bool { return n == 512 }, 1.7), false},
		{"one short pair off", func(place, length int) float64 {
			s := exactScore(place, length)
			if place == 5 {
				s += 1.7
			}
			return s
		}, false},
		{"no number for the longest", off(func(n int) bool { return n == 512 }, math.NaN()), false},
		{"infinite", off(always, math.Inf(1)), false},
	} {
		of, err := e.newGate(scorer(exactScore)).judge(test.of, "bf16")
		if err != nil {
			t.Fatal(err)
		}
		if of.within("bf16") != test.want {
			t.Errorf("%s: %v, want allowed %v", test.name, of, test.want)
		}
	}
	constant := scorer(func(int, int) float64 { return 1 })
	if of, err := e.newGate(constant).judge(constant, "bf16"); err != nil || of.within("bf16") {
		t.Errorf("scores that do not differ: %v, %v", of, err)
	}
}

// Where all pairs have the same score, nothing is close to that, whatever the score is.
func TestDeviationOfConstants(t *testing.T) {
	for _, score := range []float32{0, 1, 1.3711332, -0.357108623, 1e30} {
		want, got := make([]float32, 17), make([]float32, 17)
		for i := range want {
			want[i], got[i] = score, score+1
		}
		for _, scores := range [][]float32{want, got} {
			if d := scoreDeviation(scores, want, 1); d.Mean != infinite || d.Worst != infinite {
				t.Errorf("%g: %v", score, d)
			}
		}
	}
}

// Errors may be small and swap many: those of pairs that nearly tie.
func TestGateCountsOrders(t *testing.T) {
	e := openShape(t, 1, synth.Shape{Layers: 1, Hidden: 8, Heads: 1, Intermediate: 8, Vocab: 30522, Positions: 512, Types: 2, Labels: 1}, Precision("f32"), Device("cpu"))
	e.head = firstValues{8}
	// Twos that differ by a hundredth, of scores between 0 and 33.
	plain := scorer(func(place, _ int) float64 { return float64(place/2) + 0.01*float64(place%2) })
	swaps := func(twos int) scorer {
		return func(place, length int) float64 {
			if place < 2*twos {
				place ^= 1
			}
			return plain(place, length)
		}
	}
	of, err := e.newGate(plain).judge(swaps(9), "int8")
	if err != nil || of.Mean > 0.001 || of.Swapped < 0.004 || !of.within("int8") {
		t.Errorf("9 of 2211 orders: %v, %v", of, err)
	}
	of, err = e.newGate(plain).judge(swaps(20), "int8")
	if err != nil || of.Mean > 0.001 || of.Swapped < 0.009 || of.within("int8") || !of.within("bf16") {
		t.Errorf("20 of 2016 orders: %v, %v", of, err)
	}
}

// Swapped counts each two of scores once, and ties in neither way.
func TestSwapped(t *testing.T) {
	for _, test := range []struct {
		got, want []float32
		share     float64
	}{
		{nil, nil, 0},
		{[]float32{1}, []float32{2}, 0},
		{[]float32{1, 2, 3}, []float32{-3, 0, 7}, 0},
		{[]float32{3, 2, 1}, []float32{1, 2, 3}, 1},
		{[]float32{2, 1, 3, 4}, []float32{1, 2, 3, 4}, 1. / 6},
		{[]float32{1, 1, 3, 3}, []float32{1, 2, 3, 3}, 0},
		{[]float32{float32(math.NaN()), 1}, []float32{1, 2}, 0},
	} {
		if got := swapped(test.got, test.want); got != test.share {
			t.Errorf("%v for %v: %g, want %g", test.got, test.want, got, test.share)
		}
	}
}

// A gate asks float32 once, and for no long pairs where the short ones decide.
func TestGateIsFrugal(t *testing.T) {
	e := openShape(t, 1, synth.Shape{Layers: 1, Hidden: 8, Heads: 1, Intermediate: 8, Vocab: 30522, Positions: 512, Types: 2, Labels: 1}, Precision("f32"), Device("cpu"))
	e.head = firstValues{8}
	asked := 0
	plain := scorer(func(place, length int) float64 { asked += length; return float64(place) })
	g := e.newGate(plain)
	if _, err := g.judge(scorer(func(place, length int) float64 { return float64(-place) }), "bf16"); err != nil {
		t.Fatal(err)
	}
	if want := g.tests[0].Tokens(); asked != want {
		t.Errorf("%d tokens for one that fails at once, want %d", asked, want)
	}
	for range 2 {
		if of, err := g.judge(scorer(func(place, length int) float64 { return float64(place) }), "bf16"); err != nil || of.Worst != 0 {
			t.Fatalf("%v, %v", of, err)
		}
		if want := g.tests[0].Tokens() + g.tests[1].Tokens(); asked != want {
			t.Errorf("%d tokens, want %d", asked, want)
		}
	}
}

// The pairs are short ones, some of about 300 tokens and one of the most that there can
// be; valid, always the same, and of words that come again.
func TestMadeUp(t *testing.T) {
	for positions, want := range map[int][]int{512: {280, 310, 512}, 400: {280, 310, 400}, 20: {20, 20, 20}} {
		shape := synth.Shape{Layers: 1, Hidden: 8, Heads: 1, Intermediate: 8, Vocab: 30522, Positions: positions, Types: 2, Labels: 1}
		e := openShape(t, 1, shape, Precision("f32"), Device("cpu"))
		tests := e.madeUp()
		if len(tests) != 2 || tests[0].Len() < 10 {
			t.Fatalf("%d tests", len(tests))
		}
		for _, b := range tests {
			if err := b.Validate(&e.info.Config); err != nil {
				t.Error(err)
			}
		}
		for i, n := range want {
			lo, hi := tests[1].Bounds(i)
			if hi-lo != n {
				t.Errorf("%d positions: pair %d has %d tokens, want %d", positions, i, hi-lo, n)
			}
			words := map[int32]bool{}
			for _, id := range tests[1].IDs[lo:hi] {
				words[id] = true
			}
			if share := float64(len(words)) / float64(n); positions > 100 && (share < 0.4 || share > 0.8) {
				t.Errorf("%d positions: %d of %d tokens are different", positions, len(words), n)
			}
		}
	}
}
