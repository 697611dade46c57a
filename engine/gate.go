package engine

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// Deviation is how far the scores of one precision are from float32's, on made-up pairs.
// Distances are in standard deviations of float32's scores, after the mean difference was
// subtracted: a difference that all pairs share does not change their order.
type Deviation struct {
	Mean    float64 `json:"mean"`
	Worst   float64 `json:"worst"`   // of one pair
	Swapped float64 `json:"swapped"` // share, 0 to 1, of all pairs of scores whose order is reversed
}

// allowance is the largest deviation with which "auto" may choose a precision.
type allowance Deviation

// bounds returns the allowance of a precision.
//
// Scores of bfloat16 and half precision may be off by 0.075 on average. That reverses about
// 0.39 times this share of all orders: 3 %, those of scores that nearly tie. PyTorch's
// bfloat16 reverses 1.3 and 4.8 % on two synthetic models, ours 0.2 % on a trained one.
// Int8 may reverse 0.6 %, because no other engine uses it by default.
//
// A single pair may be off by 0.3. Rounding errors are about normally distributed: of
// seventy pairs with the largest allowed mean, the worst is usually at 0.25. The bound on
// single pairs finds errors that occur at one length only, which a mean over pairs of all
// lengths hides.
func bounds(precision string) allowance {
	a := allowance{Mean: 0.075, Worst: 0.3, Swapped: 0.03}
	if precision == kernels.Int8.String() {
		a.Swapped = 0.006
	}
	return a
}

// String returns for example "0.075, 0.3 and 0.6 % are allowed".
func (a allowance) String() string {
	return fmt.Sprintf("%g, %g and %g %% are allowed", a.Mean, a.Worst, 100*a.Swapped)
}

// infinite is the deviation where scores are not finite or do not differ. It is a number
// because JSON has no infinity.
const infinite = math.MaxFloat64

// within reports whether the deviation is allowed.
func (d *Deviation) within(a allowance) bool {
	return d.Mean <= a.Mean && d.Worst <= a.Worst && d.Swapped <= a.Swapped
}

// String returns for example "off by 0.018 of the scores' standard deviation on
// average, 0.053 at worst, with 0.41 % of the orders swapped".
func (d *Deviation) String() string {
	if d.Mean == infinite {
		return "off beyond measure: scores that are not finite, or all the same,"
	}
	return fmt.Sprintf("off by %.2g of the scores' standard deviation on average, %.2g at worst, with %.2g %% of the orders swapped",
		d.Mean, d.Worst, 100*d.Swapped)
}

// gate compares the scores of devices with float32's, on made-up pairs.
type gate struct {
	config *model.Config
	pool   []model.Pooling
	head   head
	plain  model.Device // float32
	tests  []*model.Batch
	want   []float32 // plain's scores, for as many tests as were needed so far
}

func (e *Engine) newGate(plain model.Device) *gate {
	return &gate{config: &e.info.Config, pool: e.weights.Head.Pool, head: e.head, plain: plain, tests: e.madeUp()}
}

// judge compares d's scores with plain's. It stops at the first test that deviates more
// than is allowed, because later tests take longer.
func (g *gate) judge(d model.Device, allowed allowance) (of *Deviation, err error) {
	var (
		got    []float32
		memory cpu.HeadMemory
	)
	score := func(d model.Device, scores []float32, b *model.Batch) ([]float32, error) {
		n, rows := len(scores), make([]float32, b.Len()*len(g.pool)*g.config.HiddenSize)
		if err := model.Encode(d, g.config, b, model.Reductions(nil, g.pool, b), rows); err != nil {
			return nil, because(ErrModel, err)
		}
		scores = append(scores, make([]float32, b.Len())...)
		g.head.Run(&memory, scores[n:], rows)
		return scores, nil
	}
	for _, b := range g.tests {
		if got, err = score(d, got, b); err != nil {
			return nil, err
		}
		if len(g.want) < len(got) {
			if g.want, err = score(g.plain, g.want, b); err != nil {
				return nil, err
			}
		}
		if of = deviation(got, g.want[:len(got)]); !of.within(allowed) {
			break
		}
	}
	return of, nil
}

// deviation compares scores with the expected scores of the same pairs.
func deviation(got, want []float32) *Deviation {
	n := float64(len(got))
	// Values are relative to the first score: then scores that are all equal have a
	// deviation of exactly 0, without the rounding error of their mean.
	from := func(i int) float64 { return float64(want[i]) - float64(want[0]) }
	var mean, offset float64
	for i := range got {
		mean += from(i) / n
		offset += (float64(got[i]) - float64(want[i])) / n
	}
	var square, off, worst float64
	for i := range got {
		square += (from(i) - mean) * (from(i) - mean) / n
		e := math.Abs(float64(got[i]) - float64(want[i]) - offset)
		off += e / n
		worst = max(worst, e)
	}
	sd := math.Sqrt(square)
	d := &Deviation{Mean: off / sd, Worst: worst / sd, Swapped: swapped(got, want)}
	if !(d.Mean < infinite && d.Worst < infinite) { // NaN fails this test, too
		return &Deviation{Mean: infinite, Worst: infinite, Swapped: 1}
	}
	return d
}

// swapped returns the share of all pairs of scores whose order is the reverse of the
// expected one. A tie does not count.
func swapped(got, want []float32) float64 {
	n, all := 0, len(got)*(len(got)-1)/2
	for i := range got {
		for j := range i {
			if got[i] < got[j] && want[i] > want[j] || got[i] > got[j] && want[i] < want[j] {
				n++
			}
		}
	}
	return float64(n) / float64(max(all, 1))
}

// madeUp returns the tests: pairs of random tokens, the same in every run, between the
// usual special tokens. There are many short pairs, which make two thousand orders (0.6 %
// of them is a dozen), two pairs of about 300 tokens, and one of the maximum length.
func (e *Engine) madeUp() []*model.Batch {
	const shortPairs, shortest, longest = 64, 12, 36
	r := rand.New(rand.NewPCG(1, 1))
	short, long := new(model.Batch), new(model.Batch)
	for range shortPairs {
		e.makeUp(short, shortest+r.IntN(longest-shortest), r)
	}
	for _, n := range []int{280, 310, e.info.MaxLength} {
		e.makeUp(long, n, r)
	}
	return []*model.Batch{short, long}
}

// makeUp appends a pair of n tokens, or of the maximum length if that is less. As in real
// text, words repeat, also between query and passage: with the probability repeated, a
// token is a copy of an earlier one (Simon 1955, "On a class of skew distribution
// functions"); otherwise it is random.
func (e *Engine) makeUp(b *model.Batch, n int, r *rand.Rand) {
	const (
		repeated     = 0.4
		longestQuery = 30
	)
	frame, types, _ := e.tokenizer.AppendPair(nil, nil, "", "") // an empty pair is never too long
	n = min(n, e.info.MaxLength)
	var words []int32
	for i, id := range frame {
		b.IDs, b.Types = append(b.IDs, id), append(b.Types, types[i])
		if i+1 == len(frame) {
			break
		}
		// A third of the tokens is the query, but not more than real queries have.
		count := min((n-len(frame))/3, longestQuery)
		if i > 0 {
			count = n - len(frame) - count
		}
		for range count {
			word := r.Int32N(int32(e.tokenizer.VocabSize()))
			if len(words) > 0 && r.Float64() < repeated {
				word = words[r.IntN(len(words))]
			}
			words = append(words, word)
			b.IDs, b.Types = append(b.IDs, word), append(b.Types, types[i])
		}
	}
	b.End()
}
