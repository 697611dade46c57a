package synth

import (
	"math/bits"
	"math/rand/v2"
)

// Pair is one query and one passage.
type Pair struct {
	Query   string `json:"query"`
	Passage string `json:"passage"`
}

// Pairs returns the first n pairs of a seed's data set: the first n of more
// are the same. Counted in tokens of the embedded vocabulary, with [CLS] and
// both [SEP], queries and pairs are as long as those of MS MARCO's passage
// ranking task: 87 tokens in the mean, with a standard deviation of 25, so that
// padding batches of 32 in order would waste 43 %.
//
// A passage is sentences about one topic, and its query asks about two of its
// nouns. Both are grammatical in the main and mean nothing. Between common
// words, whose frequencies fall as Zipf's law says, they have names, numbers,
// prices, hyphens, brackets, accents and words outside the vocabulary.
func Pairs(seed uint64, n int) []Pair {
	w := newWriter()
	out := make([]Pair, max(n, 0))
	for i := range out {
		w.start(seed, uint64(i))
		query := w.length(queryMedian, queryRatio, 3, 30)
		passage := w.length(passageMedian, passageRatio, 0, 256)
		// The limits are those of the pair: at least 16 tokens, at most 256.
		passage = min(max(query+passage+3, 16), 256) - query - 3
		out[i] = Pair{w.query(query), w.passage(passage)}
	}
	return out
}

// Lengths are log-normal: median·e^(σz). In steps of 1/1024 of z, this is median·ratio^k
// with ratio = e^(σ/1024): only products, which every machine rounds alike.
const (
	queryMedian = 8.2
	queryRatio  = 1.0003907013 // e^(0.40/1024)

	passageMedian = 71.257       // 75/e^(0.32²/2), which makes the mean 75
	passageRatio  = 1.0003125488 // e^(0.32/1024)
)

// length draws a length in tokens.
func (w *writer) length(median, ratio float64, least, most int) int {
	// z is the sum of eight uniform numbers of 16 bits, up to 4.9 in both directions.
	sum := 0
	for _, u := range [2]uint64{w.rng.Uint64(), w.rng.Uint64()} {
		sum += int(u&0xffff + u>>16&0xffff + u>>32&0xffff + u>>48)
	}
	const deviation = 53510 // sqrt(8·(2^32-1)/12)
	k := (sum - 4*0xffff) * 1024 / deviation
	length := int(float64(median*power(ratio, k)) + 0.5)
	return min(max(length, least), most)
}

// power is x^k by squaring.
func power(x float64, k int) float64 {
	if k < 0 {
		return 1 / power(x, -k)
	}
	p := 1.0
	for ; k > 0; k >>= 1 {
		if k&1 == 1 {
			p *= x
		}
		x *= x
	}
	return p
}

// random makes choices in integers.
type random struct{ rng rand.PCG }

func (r *random) start(seed, i uint64) { r.rng.Seed(mix(seed), mix(i)) }

// below returns a number in [0, n), all equally likely.
func (r *random) below(n int) int {
	hi, _ := bits.Mul64(r.rng.Uint64(), uint64(n))
	return int(hi)
}

// chance is true percent times in 100.
func (r *random) chance(percent int) bool { return r.below(100) < percent }

// rank returns a number in [0, n) whose likelihood falls as 1/(rank+1), the law
// of Zipf: as likely between 1 and 2 as between 2 and 4, and so on.
func (r *random) rank(n int) int {
	for {
		octave := 1 << r.below(bits.Len(uint(n)))
		if k := octave + r.below(octave) - 1; k < n {
			return k
		}
	}
}

// choose returns one of a list, all equally likely.
func choose[T any](r *random, list []T) T { return list[r.below(len(list))] }

// common returns one of a list, the first ones more often.
func common[T any](r *random, list []T) T { return list[r.rank(len(list))] }
