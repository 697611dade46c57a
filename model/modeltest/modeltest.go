// Package modeltest is the conformance suite for devices: what any
// implementation of model.Device must do to count as one, held to
// model.Reference block by block.
package modeltest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// Opener opens the device under test over w for about that many passes at
// once.
type Opener func(w *model.Weights, passes int) (model.Device, error)

// Precision says how near to the reference a device must come, and what it
// promises beyond.
type Precision struct {
	// Hidden bounds the root-mean-square error of the hidden state after any
	// block, as a share of the hidden state's own root mean square, and ten
	// times it bounds every single error. A block ends in a LayerNorm, which
	// brings its output back to one size, so that errors add up over blocks
	// like those of a random walk and do not grow otherwise.
	Hidden float64
	// Logit bounds the error of a logit as a share of the sum of the
	// magnitudes of the classifier's products.
	Logit float64
	// Exact says that a score is the same, bit for bit, whatever else is in
	// the batch. Otherwise it may differ by twice Logit.
	Exact bool
	// OwnCls says that [CLS] rows alone are computed by kernels of their own, so
	// that scores differ by rounding from those of a pass that keeps every row.
	OwnCls bool
}

// Float32 is what single precision gives: an error of 2^-24 for each of the
// few roundings that a value meets on its way through a block, and of each
// sum's partial sums, together some tens of times that.
var Float32 = Precision{Hidden: 2e-6, Logit: 2e-6, Exact: true}

// BFloat16 rounds the operands of products to 8 bits: each is off by up to 2^-9 of
// itself, a sum of many by about 2^-9/√3·√2 of its size, and the few sums on the
// way through the blocks together four times that; a softmax of large scores, whose
// error is that of their sizes, more.
var BFloat16 = Precision{Hidden: 2e-2, Logit: 2e-2, Exact: true}

// BFloat16x3 keeps operands to 2^-16 of themselves and leaves out a product that is
// as small: a sum of many is off by about 2^-17.5 of its size (5e-6), four times that
// on the way through the blocks, and for large scores more, as with BFloat16.
var BFloat16x3 = Precision{Hidden: 6e-5, Logit: 6e-5, Exact: true}

// Float16 rounds the operands of products to 11 bits, so that each is off by up to
// 2^-12 of itself, and so is every sum of up to 32 of them: of n products of size 1,
// by 2^-12/√3·√(2·n + n²/2), which is 4·2^-12 of the size of the whole sum for the
// two together (6e-4). Four times that for the sums on the way through the blocks,
// and more for a softmax, as with BFloat16.
var Float16 = Precision{Hidden: 7e-3, Logit: 7e-3, Exact: true}

// Float16GPU rounds the operands of products to 11 bits and sums them in float32: a
// sum is off by 2^-12/√3·√2 = 2e-4 of its size, those on the way through the blocks
// together by twice that. A softmax of large scores, whose error is that of their
// sizes, makes it up to ten times as much.
var Float16GPU = Precision{Hidden: 4e-3, Logit: 4e-3, Exact: true, OwnCls: true}

// Int8 rounds to 254 steps from a row's smallest value to its largest. Where those
// are about six deviations apart, it is off by 6/254/√12 = 7e-3 of the deviation;
// where one value is far out, as in narrow layers that know no better, by several
// times that. Six products lie on the way through two layers.
var Int8 = Precision{Hidden: 6e-2, Logit: 6e-2, Exact: true}

// Thorough says that MINILM_THOROUGH asks for all that there is to try, as .ci/run does.
// Otherwise tests try what differs most, so that go test ./... ends while one waits for it.
func Thorough() bool { return os.Getenv("MINILM_THOROUGH") != "" }

// lengths returns the awkward ones: the shortest, those around the widths of vectors and
// tiles, the longest, unless the test is to be short.
func lengths() []int {
	all := []int{1, 2, 7, 31, 32, 33, 63, 64, 65, 127, 128, 129, 511, 512}
	switch {
	case testing.Short():
		all = all[:len(all)-2]
	case !Thorough():
		all = []int{1, 2, 7, 32, 33, 64, 129, 512}
	}
	return all
}

// shapes are a small model of the usual proportions and one that no tile
// divides.
var shapes = []synth.Shape{
	{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 256, Vocab: 600, Positions: 512, Types: 2, Labels: 1},
	{Layers: 3, Hidden: 45, Heads: 5, Intermediate: 67, Vocab: 300, Positions: 512, Types: 2, Labels: 1},
}

// Run holds the device that open opens to the reference.
func Run(t *testing.T, precision Precision, open Opener) {
	for i, shape := range shapes {
		t.Run(fmt.Sprintf("hidden%d", shape.Hidden), func(t *testing.T) {
			fsys, err := synth.FS(uint64(i+1), shape)
			if err != nil {
				t.Fatal(err)
			}
			w, err := model.Load(fsys)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { w.Close() })
			s := suite{precision: precision, w: w, open: open, reference: model.NewReference(w, 1)}
			t.Run("Blocks", s.blocks)
			t.Run("Company", s.company)
			t.Run("DeadRows", s.deadRows)
			t.Run("Concurrent", s.concurrent)
			t.Run("Misuse", s.misuse)
			t.Run("KernelTimes", s.kernelTimes)
			t.Run("Urgent", s.urgent)
		})
	}
}

type suite struct {
	precision Precision
	w         *model.Weights
	open      Opener
	reference *model.Reference
}

func (s *suite) device(t *testing.T, passes int) model.Device {
	t.Helper()
	d, err := s.open(s.w, passes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// batches are all lengths together and 257 short sequences, and, where tests are to be
// thorough, one of each length alone.
func (s *suite) batches() map[string]*model.Batch {
	r := rand.New(rand.NewPCG(1, 1))
	all := map[string]*model.Batch{"together": s.batch(r, lengths()...)}
	if Thorough() {
		for _, n := range lengths() {
			all[fmt.Sprint(n)] = s.batch(r, n)
		}
	}
	many := make([]int, 257)
	for i := range many {
		many[i] = 1 + r.IntN(9)
	}
	all["257 short"] = s.batch(r, many...)
	return all
}

// Begin begins a pass, or fails the test.
func Begin(t testing.TB, d model.Device, b *model.Batch) model.Pass {
	t.Helper()
	p, err := d.Begin(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Places is a queue before a device, which has none: at most Passes() are let in.
type Places chan struct{}

// NewPlaces returns the queue before d.
func NewPlaces(d model.Device) Places { return make(Places, d.Passes()) }

// In waits for a place. The function that it returns gives it back.
func (p Places) In() (out func()) {
	p <- struct{}{}
	return func() { <-p }
}

// batch returns sequences of the given lengths.
func (s *suite) batch(r *rand.Rand, lengths ...int) *model.Batch {
	return Batch(r, s.w.Config.VocabSize, lengths...)
}

// Batch returns sequences of the given lengths: random ids of a vocabulary, the types
// in two runs.
func Batch(r *rand.Rand, vocabulary int, lengths ...int) *model.Batch {
	b := new(model.Batch)
	for _, n := range lengths {
		second := r.IntN(n + 1)
		for t := range n {
			b.IDs = append(b.IDs, int32(r.IntN(vocabulary)))
			typ := int32(0)
			if t >= second {
				typ = 1
			}
			b.Types = append(b.Types, typ)
		}
		b.End()
	}
	return b
}

// blocks compares the hidden state after each block, and the logits.
func (s *suite) blocks(t *testing.T) {
	d := s.device(t, 1)
	for name, b := range s.batches() {
		t.Run(name, func(t *testing.T) {
			got, want := Begin(t, d, b), Begin(t, s.reference, b).(*model.ReferencePass)
			defer got.End()
			defer want.End()
			step := func(block string, do func(p model.Pass)) {
				do(got)
				do(want)
				s.near(t, block, got, want.Hidden64())
			}
			step("embed", model.Pass.Embed)
			for layer := range s.w.Config.Layers {
				keep := model.AllRows
				if layer == s.w.Config.Layers-1 {
					keep = model.ClsRows
				}
				step(fmt.Sprintf("layer %d attention", layer), func(p model.Pass) { p.Attention(layer, keep) })
				step(fmt.Sprintf("layer %d feed-forward", layer), func(p model.Pass) { p.FeedForward(layer) })
			}
			logits, expected := make([]float32, b.Len()), make([]float32, b.Len())
			if err := errors.Join(got.Classify(logits), want.Classify(expected)); err != nil {
				t.Fatal(err)
			}
			s.logitsNear(t, logits, expected, s.precision.Logit)
		})
	}
}

// near fails where the pass's hidden state is too far from want.
func (s *suite) near(t *testing.T, block string, p model.Pass, want []float64) {
	t.Helper()
	got := make([]float32, len(want))
	if err := p.Hidden(got); err != nil {
		t.Fatalf("%s: %v", block, err)
	}
	var squares, deviations, largest float64
	at := 0
	for i, v := range want {
		e := math.Abs(float64(got[i]) - v)
		if math.IsNaN(e) {
			t.Fatalf("%s: x[%d,%d] = %g, want %g", block, i/s.w.Config.HiddenSize, i%s.w.Config.HiddenSize, got[i], v)
		}
		squares += v * v
		deviations += e * e
		if e > largest {
			largest, at = e, i
		}
	}
	size := math.Sqrt(squares / float64(len(want)))
	if rms := math.Sqrt(deviations/float64(len(want))) / size; rms > s.precision.Hidden {
		t.Errorf("%s: error of the hidden state %.2g of its size, want at most %.2g", block, rms, s.precision.Hidden)
	}
	if largest/size > 10*s.precision.Hidden {
		t.Errorf("%s: x[%d,%d] = %g, want %g ± %.2g", block, at/s.w.Config.HiddenSize, at%s.w.Config.HiddenSize, got[at], want[at], 10*s.precision.Hidden*size)
	}
}

func (s *suite) score(t *testing.T, d model.Device, b *model.Batch) []float32 {
	t.Helper()
	scores := make([]float32, b.Len())
	if err := model.Score(d, &s.w.Config, b, scores); err != nil {
		t.Fatal(err)
	}
	return scores
}

func (s *suite) logitsNear(t *testing.T, got, want []float32, tolerance float64) {
	t.Helper()
	magnitude := 0.0
	for _, w := range model.Float32s(s.w.Classifier.W) {
		magnitude += math.Abs(float64(w))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= tolerance*magnitude) {
			t.Errorf("sequence %d: logit %g, want %g ± %.2g", i, got[i], want[i], tolerance*magnitude)
		}
	}
}

// same fails where two scores of one sequence differ more than the device's
// precision lets company matter.
func (s *suite) same(t *testing.T, got, want []float32) {
	t.Helper()
	if !s.precision.Exact {
		s.logitsNear(t, got, want, 2*s.precision.Logit)
		return
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Errorf("sequence %d: logit %g, want the very same as %g", i, got[i], want[i])
		}
	}
}

// company checks that a score does not depend on the rest of the batch, on the
// sequence's place in it, or on what the device computed before.
func (s *suite) company(t *testing.T) {
	d := s.device(t, 1)
	b := s.batch(rand.New(rand.NewPCG(2, 2)), append([]int{3, 5, 90, 17}, lengths()...)...)
	together := s.score(t, d, b)
	alone := make([]float32, 0, b.Len())
	for i := range b.Len() {
		var one model.Batch
		b.Slice(&one, i, i+1)
		alone = append(alone, s.score(t, d, &one)...)
	}
	s.same(t, alone, together)

	var reversed model.Batch
	for i := b.Len() - 1; i >= 0; i-- {
		lo, hi := b.Bounds(i)
		reversed.Append(b.IDs[lo:hi], b.Types[lo:hi])
	}
	backwards := s.score(t, d, &reversed)
	slices.Reverse(backwards)
	s.same(t, backwards, together)
	s.same(t, s.score(t, d, b), together)
}

// deadRows checks that computing the last layer for [CLS] alone changes
// nothing.
func (s *suite) deadRows(t *testing.T) {
	d := s.device(t, 1)
	b := s.batch(rand.New(rand.NewPCG(3, 3)), lengths()...)
	every := make([]float32, b.Len())
	func() {
		p := Begin(t, d, b)
		defer p.End()
		p.Embed()
		for layer := range s.w.Config.Layers {
			p.Attention(layer, model.AllRows)
			p.FeedForward(layer)
		}
		if err := p.Classify(every); err != nil {
			t.Fatal(err)
		}
	}()
	if s.precision.OwnCls {
		s.logitsNear(t, s.score(t, d, b), every, 2*s.precision.Logit)
		return
	}
	s.same(t, s.score(t, d, b), every)
}

// concurrent keeps all of the device's places busy, and asks for one more.
func (s *suite) concurrent(t *testing.T) {
	d := s.device(t, 2)
	if d.Passes() < 1 {
		t.Fatalf("%d passes at once", d.Passes())
	}
	r := rand.New(rand.NewPCG(4, 4))
	var wg sync.WaitGroup
	places := NewPlaces(d)
	for range 4 * d.Passes() {
		b := s.batch(r, 1+r.IntN(40), 1+r.IntN(40), 1+r.IntN(200))
		out := places.In()
		want := s.score(t, d, b)
		out()
		wg.Go(func() {
			for range 5 {
				got := make([]float32, b.Len())
				out := places.In()
				err := model.Score(d, &s.w.Config, b, got)
				out()
				if err != nil {
					t.Error(err)
					return
				}
				s.same(t, got, want)
			}
		})
	}
	wg.Wait()

	b := s.batch(r, 3)
	for range d.Passes() {
		defer Begin(t, d, b).End()
	}
	if _, err := d.Begin(b); !errors.Is(err, model.ErrBusy) {
		t.Errorf("a pass too many: %v", err)
	}
}

// misuse checks that wrong sizes are errors and cost the device nothing.
func (s *suite) misuse(t *testing.T) {
	d := s.device(t, 1)
	b := s.batch(rand.New(rand.NewPCG(5, 5)), 4, 2)
	for range 3 * d.Passes() {
		p := Begin(t, d, b)
		p.Embed()
		if err := p.Hidden(make([]float32, 1)); err == nil {
			t.Error("a hidden state in one float: no error")
		}
		if err := p.Classify(make([]float32, 1)); err == nil {
			t.Error("two logits in one float: no error")
		}
		p.End()
	}
	s.logitsNear(t, s.score(t, d, b), s.score(t, s.reference, b), s.precision.Logit)
	if err := model.Score(d, &s.w.Config, &model.Batch{}, nil); err != nil {
		t.Errorf("an empty batch: %v", err)
	}
	bad := s.batch(rand.New(rand.NewPCG(6, 6)), 4)
	bad.IDs[2] = int32(s.w.Config.VocabSize)
	if err := model.Score(d, &s.w.Config, bad, make([]float32, 1)); err == nil {
		t.Error("an id past the table: no error")
	}
}
