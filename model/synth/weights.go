package synth

import (
	"hash/fnv"
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// distribution says how a tensor's values are drawn. They are nearly normal: mean + std·z,
// where z is the sum of four uniform numbers of 16 bits (Irwin-Hall), centred and scaled to
// variance 1. The tails end at 3.46, and everything before the last product is exact in
// integers.
//
// Trained weights are less even than that, and low precision has most trouble with their
// unevenness. So:
//   - each row of an uneven matrix has its own std, by a factor of 1 + z/4, and
//     about one row in thirteen (for 384 columns) has a weight of eight times
//     its size;
//   - four channels of every LayerNorm stand out, as they do in BERT (Kovaleva
//     et al. 2021, arXiv:2105.06990): gains twice their size and biases moved
//     by 1.5 to 2.5 units make values of 10 to 25 where the others are near 1.
//     The matrices that read the hidden state have small weights there, or the
//     outliers, which are the same in all text, would drown it;
//   - queries, keys and values are scaled up until attention picks a few tokens
//     out of many, as trained heads do, so that the logit depends on the text.
//
// The classifier is so large that logits are some units apart: with seed 1, those of the
// first 160 Pairs of seed 1 have mean 2.0 and standard deviation 2.8, from -4.7 to 9.5.
// Rounding the matrices to bfloat16 changes them by 2 % of that.
type distribution struct {
	mean, std float32
	uneven    bool
	outliers  outliers
}

// outliers says what happens to a row at the outlier channels.
type outliers int

const (
	noOutliers    outliers = iota
	gainOutliers           // twice the size
	biasOutliers           // moved by the channel's bias
	inputOutliers          // an eighth of the size
)

const (
	biasStd    = 0.1
	heavyRate  = 1 << 32 / 5000 // of 2^32, per weight
	heavyTimes = 8
)

// fanIn is gain/sqrt(n), with which a product has the same scale for every n. Square roots
// are exact to the last bit everywhere (IEEE 754).
func fanIn(gain float64, n int) float32 { return float32(gain / math.Sqrt(float64(n))) }

// outlierChannels are the channels with large values, as shares of the hidden size in
// 384ths, and what is added to their biases.
var outlierChannels = [...]struct {
	at   int
	bias float32
}{{7, 1.5}, {130, -2}, {211, 2.5}, {308, -1.5}}

// normal converts 64 random bits to a z of mean 0 and variance 1.
func normal(u uint64) float32 {
	const scale = 1 / 37837.2280 // sqrt(4·(2^32-1)/12), the sum's standard deviation
	sum := u&0xffff + u>>16&0xffff + u>>32&0xffff + u>>48
	return float32(int32(sum)-2*0xffff) * scale
}

// source is the random stream of one row of one tensor. Every row has its own, so that rows
// can be filled in any order, and the rows of a smaller vocabulary are the first rows of a
// larger one.
type source struct {
	rand.PCG
	seed, tensor uint64
}

func newSource(seed uint64, tensor string) *source {
	h := fnv.New64a()
	h.Write([]byte(tensor))
	return &source{seed: seed, tensor: h.Sum64()}
}

func (s *source) row(i int) { s.Seed(mix(s.seed)^s.tensor, mix(s.tensor+uint64(i))) }

// mix is the finalizer of splitmix64: it spreads neighbouring numbers over all
// 64 bits.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// fillRow draws row i of t into values.
func (t *tensor) fillRow(s *source, i int, values []float32) {
	s.row(i)
	std := t.draw.std
	if t.draw.uneven {
		quarter := float32(normal(s.Uint64()) / 4)
		std *= 1 + quarter
	}
	mean := t.draw.mean
	for j := range values {
		deviation := float32(std * normal(s.Uint64())) // the conversion keeps machines from fusing it with the sum
		values[j] = mean + deviation
	}
	if t.draw.uneven && s.Uint64()>>32 < heavyRate*uint64(len(values)) {
		at, _ := bits.Mul64(s.Uint64(), uint64(len(values)))
		values[at] *= heavyTimes
	}
	t.draw.outliers.apply(values)
}

func (o outliers) apply(values []float32) {
	if o == noOutliers {
		return
	}
	for _, c := range outlierChannels {
		at := c.at * len(values) / 384
		switch o {
		case gainOutliers:
			values[at] *= 2
		case biasOutliers:
			values[at] += c.bias
		case inputOutliers:
			values[at] /= 8
		}
	}
}

// fillAll draws all tensors, on as many goroutines as there are processors, and calls store
// with each row and its index.
func fillAll(seed uint64, ts []tensor, store func(t, row int, values []float32)) {
	const step = 1 << 15 // values in a task: under 0.2 ms of work
	type task struct{ tensor, from, to int }
	var tasks []task
	for i := range ts {
		rows, each := ts[i].rows(), max(1, step/ts[i].cols())
		for r := 0; r < rows; r += each {
			tasks = append(tasks, task{i, r, min(r+each, rows)})
		}
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(tasks)) {
		workers.Go(func() {
			var values []float32
			for {
				n := int(next.Add(1)) - 1
				if n >= len(tasks) {
					return
				}
				k := tasks[n]
				t := &ts[k.tensor]
				src := newSource(seed, t.name)
				if cap(values) < t.cols() {
					values = make([]float32, t.cols())
				}
				for r := k.from; r < k.to; r++ {
					t.fillRow(src, r, values[:t.cols()])
					store(k.tensor, r, values[:t.cols()])
				}
			}
		})
	}
	workers.Wait()
}
