// Package modeltest is the conformance suite for devices: it tests everything that an
// implementation of model.Device must do, and compares it with model.Reference block by block.
package modeltest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/memorytest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// Opener opens the device under test on w, so that about that many passes can run at the
// same time.
type Opener func(w *model.Weights, passes int) (model.Device, error)

// Precision says how close to the reference a device must be, and what else it promises.
type Precision struct {
	// Hidden is the limit of the root-mean-square error of the hidden state after any
	// block, as a share of the hidden state's own root mean square. Every single error may
	// be ten times as large. A block ends in a LayerNorm, which brings its output back to
	// the same size, so errors add up over blocks like a random walk and do not grow
	// otherwise.
	Hidden float64
	// Row is how many times as large the error of a single row may be; 0 means once. All
	// channels of a row have the errors of the same few weights of attention, so one row is
	// one draw, and not as many as it has channels. Of n rows one may be that far off, which
	// together is Row/√n.
	Row float64
	// Exact says that what is pooled of a sequence is the same, bit for bit, whatever else is
	// in the batch. Otherwise it may differ by twice Hidden.
	Exact bool
	// OwnCls says that the device has other kernels for computing only [CLS] rows. They
	// differ by rounding from those of a pass that keeps every row.
	OwnCls bool
}

// Float32 is the precision of float32: an error of 2^-24 for each of the few roundings of a
// value in a block and for the partial sums of each sum, together some tens of times that.
var Float32 = Precision{Hidden: 2e-6, Exact: true}

// BFloat16 rounds the operands of products to 8 bits. The relative error of each is up to
// 2^-9, and that of a sum of many products about 2^-9/√3·√2; the few sums in the blocks
// together have four times that. It is larger for a softmax of large scores, whose errors
// are proportional to their size: among rows that are within the bounds of package
// conformance, by less than a fifth of them, single ones were off by 4.4e-2.
var BFloat16 = Precision{Hidden: 2e-2, Row: 3, Exact: true}

// BFloat16x3 keeps operands with a relative error of 2^-16 and leaves out a product that is
// as small. The relative error of a sum of many products is about 2^-17.5 (5e-6), and four
// times that in the blocks; for large scores it is larger, as with BFloat16.
var BFloat16x3 = Precision{Hidden: 6e-5, Exact: true}

// Float16 rounds the operands of products to 11 bits, with a relative error of up to 2^-12
// each, and every sum of up to 32 products as well. For n products of size 1 the error is
// 2^-12/√3·√(2·n + n²/2); relative to the whole sum, both together are 4·2^-12 (6e-4). The
// sums in the blocks have four times that, and a softmax more, as with BFloat16.
var Float16 = Precision{Hidden: 7e-3, Exact: true}

// Float16GPU rounds the operands of products to 11 bits and adds them up in float32. The
// relative error of a sum is 2^-12/√3·√2 = 2e-4, and of those in the blocks together twice
// that. A softmax of large scores, whose errors are proportional to their size, makes it up
// to ten times as large.
var Float16GPU = Precision{Hidden: 4e-3, Exact: true, OwnCls: true}

// Int8 rounds to 254 steps from a row's smallest value to its largest. If these are about
// six standard deviations apart, the error is 6/254/√12 = 7e-3 of the deviation. If one
// value is very large, as in narrow layers, which are not spread, it is several times that.
// Two layers have six products one after the other.
var Int8 = Precision{Hidden: 6e-2, Exact: true}

// Thorough reports whether MINILM_THOROUGH asks for every case, as .ci/run does. Otherwise
// tests try the cases that differ most, so that go test ./... ends while one waits for it.
func Thorough() bool { return os.Getenv("MINILM_THOROUGH") != "" }

// OnlyValues skips a test under the race detector: what it compares is computed the same way
// without, ten times as fast, and other tests have the callers beside one another.
func OnlyValues(t testing.TB) {
	t.Helper()
	if memorytest.RaceDetector {
		t.Skip("values are compared without the race detector")
	}
}

// lengths returns awkward lengths: the shortest, those around the widths of vectors and
// tiles, and, unless the test is to be short, the longest.
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

// shapes are a small model of the usual proportions, and one that no tile divides.
var shapes = []synth.Shape{
	{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 256, Vocab: 600, Positions: 512, Types: 2, Labels: 1},
	{Layers: 3, Hidden: 45, Heads: 5, Intermediate: 67, Vocab: 300, Positions: 512, Types: 2, Labels: 1},
}

// Run tests the device that open opens, and compares it with the reference.
func Run(t *testing.T, precision Precision, open Opener) {
	for i, shape := range shapes {
		name := fmt.Sprintf("hidden%d", shape.Hidden)
		t.Run(name, func(t *testing.T) {
			fsys, err := synth.FS(uint64(i+1), shape)
			if err != nil {
				t.Fatal(err)
			}
			w, err := model.Load(fsys)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { w.Close() })
			s := suite{name: name, precision: precision, w: w, open: open, reference: model.NewReference(w, 1)}
			t.Run("Blocks", s.blocks)
			t.Run("Pools", s.pools)
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
	name      string // of the model
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

// batches returns a batch of all lengths together, one of 257 short sequences, and, if
// tests are to be thorough, one for each length alone.
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

// Begin begins a pass. If it cannot, the test fails.
func Begin(t testing.TB, d model.Device, b *model.Batch) model.Pass {
	t.Helper()
	p, err := d.Begin(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Places is a queue in front of a device, which has none itself: it admits at most Passes()
// passes.
type Places chan struct{}

// NewPlaces returns the queue before d.
func NewPlaces(d model.Device) Places { return make(Places, d.Passes()) }

// In waits for a place. out gives it back.
func (p Places) In() (out func()) {
	p <- struct{}{}
	return func() { <-p }
}

// batch returns sequences of the given lengths.
func (s *suite) batch(r *rand.Rand, lengths ...int) *model.Batch {
	return Batch(r, s.w.Config.VocabSize, lengths...)
}

// Batch returns sequences of the given lengths, with random ids from a vocabulary. The
// first part of each has type 0, the rest type 1.
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

// blocks compares the hidden state after each block, and the [CLS] rows.
func (s *suite) blocks(t *testing.T) {
	d := s.device(t, 1)
	for name, b := range s.batches() {
		t.Run(name, func(t *testing.T) {
			got, want := Begin(t, d, b), s.exactBlocks(t, b)
			defer got.End()
			for i, step := range s.steps(model.ClsRows) {
				step.run(got)
				s.near(t, step.name, got, want[i])
			}
			pooled := make([]float32, b.Len()*s.w.Config.HiddenSize)
			if err := got.Pool(model.Firsts, pooled); err != nil {
				t.Fatal(err)
			}
			s.rowsNear(t, pooled, want[len(want)-1], s.precision.Hidden)
		})
	}
}

// near fails the test if the pass's hidden state is too far from want.
func (s *suite) near(t *testing.T, block string, p model.Pass, want []float64) {
	t.Helper()
	got := make([]float32, len(want))
	if err := p.Hidden(got); err != nil {
		t.Fatalf("%s: %v", block, err)
	}
	s.valuesNear(t, block, got, want, s.precision.Hidden)
}

// valuesNear fails the test if rows are too far from want: by more than tolerance of its size
// together, or ten times that in one value.
func (s *suite) valuesNear(t *testing.T, block string, got []float32, want []float64, tolerance float64) {
	t.Helper()
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
	rows := float64(len(want) / s.w.Config.HiddenSize)
	most := tolerance * max(1, s.precision.Row/math.Sqrt(rows))
	if rms := math.Sqrt(deviations/float64(len(want))) / size; !(rms <= most) {
		t.Errorf("%s: error %.2g of its size, want at most %.2g", block, rms, most)
	}
	if !(largest/size <= 10*tolerance) {
		t.Errorf("%s: x[%d,%d] = %g, want %g ± %.2g", block, at/s.w.Config.HiddenSize, at%s.w.Config.HiddenSize, got[at], want[at], 10*tolerance*size)
	}
}

// encode returns the [CLS] rows.
func (s *suite) encode(t *testing.T, d model.Device, b *model.Batch) []float32 {
	t.Helper()
	return s.pool(t, d, b, model.Firsts)
}

func (s *suite) pool(t *testing.T, d model.Device, b *model.Batch, r []model.Reduce) []float32 {
	t.Helper()
	dst := make([]float32, b.Len()*len(r)*s.w.Config.HiddenSize)
	if err := model.Encode(d, &s.w.Config, b, r, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}

func (s *suite) rowsNear(t *testing.T, got []float32, want []float64, tolerance float64) {
	t.Helper()
	s.valuesNear(t, "pool", got, want, tolerance)
}

// same fails the test if rows pooled of one sequence differ more than the device's precision
// allows for different batches.
func (s *suite) same(t *testing.T, got, want []float32) {
	t.Helper()
	if !s.precision.Exact {
		s.rowsNear(t, got, widen(want), 2*s.precision.Hidden)
		return
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			h := s.w.Config.HiddenSize
			t.Errorf("row %d: x[%d] = %g, want the very same as %g", i/h, i%h, got[i], want[i])
			return
		}
	}
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// company checks that a row does not depend on the rest of the batch, on the sequence's
// place in it, or on what the device computed before.
func (s *suite) company(t *testing.T) {
	d := s.device(t, 1)
	b := s.batch(rand.New(rand.NewPCG(2, 2)), append([]int{3, 5, 90, 17}, lengths()...)...)
	together := s.encode(t, d, b)
	alone := make([]float32, 0, len(together))
	for i := range b.Len() {
		var one model.Batch
		b.Slice(&one, i, i+1)
		alone = append(alone, s.encode(t, d, &one)...)
	}
	s.same(t, alone, together)

	var reversed model.Batch
	for i := b.Len() - 1; i >= 0; i-- {
		lo, hi := b.Bounds(i)
		reversed.Append(b.IDs[lo:hi], b.Types[lo:hi])
	}
	backwards, h := s.encode(t, d, &reversed), s.w.Config.HiddenSize
	for i := range b.Len() {
		s.same(t, backwards[(b.Len()-1-i)*h:][:h], together[i*h:][:h])
	}
	s.same(t, s.encode(t, d, b), together)
}

// deadRows checks that computing the last layer for [CLS] rows only does not change them.
func (s *suite) deadRows(t *testing.T) {
	d := s.device(t, 1)
	b := s.batch(rand.New(rand.NewPCG(3, 3)), lengths()...)
	every := make([]float32, b.Len()*s.w.Config.HiddenSize)
	func() {
		p := Begin(t, d, b)
		defer p.End()
		for _, step := range s.steps(model.AllRows) {
			step.run(p)
		}
		if err := p.Pool(model.Firsts, every); err != nil {
			t.Fatal(err)
		}
	}()
	if s.precision.OwnCls {
		s.rowsNear(t, s.encode(t, d, b), widen(every), 2*s.precision.Hidden)
		return
	}
	s.same(t, s.encode(t, d, b), every)
}

// concurrent uses all of the device's places at once, and asks for one more.
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
		want := s.encode(t, d, b)
		out()
		wg.Go(func() {
			for range 5 {
				got := make([]float32, len(want))
				out := places.In()
				err := model.Encode(d, &s.w.Config, b, model.Firsts, got)
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

// misuse checks that wrong sizes are errors, and that the device works afterwards.
func (s *suite) misuse(t *testing.T) {
	d := s.device(t, 1)
	b := s.batch(rand.New(rand.NewPCG(5, 5)), 4, 2)
	for range 3 * d.Passes() {
		p := Begin(t, d, b)
		p.Embed()
		if err := p.Hidden(make([]float32, 1)); err == nil {
			t.Error("a hidden state in one float: no error")
		}
		h := s.w.Config.HiddenSize
		for _, bad := range []struct {
			r      model.Reduce
			values int
		}{{model.Reduce{}, h}, {model.Reduce{Kind: model.MaxOf + 1}, 2 * h}, {model.Reduce{Kind: model.Sum, Weights: make([]float32, 5)}, 2 * h}, {model.Reduce{Kind: model.MaxOf}, 2 * h}} {
			if err := p.Pool([]model.Reduce{bad.r}, make([]float32, bad.values)); err == nil {
				t.Errorf("kind %d with %d weights into %d values: no error", bad.r.Kind, len(bad.r.Weights), bad.values)
			}
		}
		p.Attention(0, model.ClsRows)
		p.FeedForward(0)
		if err := p.Pool([]model.Reduce{{Kind: model.Max}}, make([]float32, 2*h)); err == nil {
			t.Error("the largest of [CLS] rows alone: no error")
		}
		p.End()
	}
	s.rowsNear(t, s.encode(t, d, b), widen(s.encode(t, s.reference, b)), s.precision.Hidden)
	if err := model.Encode(d, &s.w.Config, &model.Batch{}, model.Firsts, nil); err != nil {
		t.Errorf("an empty batch: %v", err)
	}
	bad := s.batch(rand.New(rand.NewPCG(6, 6)), 4)
	bad.IDs[2] = int32(s.w.Config.VocabSize)
	if err := model.Encode(d, &s.w.Config, bad, model.Firsts, make([]float32, s.w.Config.HiddenSize)); err == nil {
		t.Error("an id past the table: no error")
	}
}
