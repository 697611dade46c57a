package metal

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/metal/internal/emulator"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// scaling multiplies some of a model's tensors.
type scaling struct {
	name string
	of   func(w *model.Weights) []**tensor.Dense
}

// ofLayers selects tensors of every layer.
func ofLayers(of func(l *model.Layer) []**tensor.Dense) func(w *model.Weights) []**tensor.Dense {
	return func(w *model.Weights) (all []**tensor.Dense) {
		for i := range w.Layers {
			all = append(all, of(&w.Layers[i])...)
		}
		return all
	}
}

var matrices = []scaling{
	{"word embeddings", func(w *model.Weights) []**tensor.Dense { return []**tensor.Dense{&w.WordEmbeddings} }},
	{"position embeddings", func(w *model.Weights) []**tensor.Dense { return []**tensor.Dense{&w.PositionEmbeddings} }},
	{"type embeddings", func(w *model.Weights) []**tensor.Dense { return []**tensor.Dense{&w.TypeEmbeddings} }},
	{"queries", ofLayers(func(l *model.Layer) []**tensor.Dense { return []**tensor.Dense{&l.Query.W} })},
	{"keys", ofLayers(func(l *model.Layer) []**tensor.Dense { return []**tensor.Dense{&l.Key.W} })},
	{"values", ofLayers(func(l *model.Layer) []**tensor.Dense { return []**tensor.Dense{&l.Value.W} })},
	{"attention's output", ofLayers(func(l *model.Layer) []**tensor.Dense { return []**tensor.Dense{&l.Output.W} })},
	{"up", ofLayers(func(l *model.Layer) []**tensor.Dense { return []**tensor.Dense{&l.Up.W} })},
	{"down", ofLayers(func(l *model.Layer) []**tensor.Dense { return []**tensor.Dense{&l.Down.W} })},
}

var gains = scaling{"gains", func(w *model.Weights) []**tensor.Dense {
	all := []**tensor.Dense{&w.EmbeddingNorm.Gain}
	for i := range w.Layers {
		all = append(all, &w.Layers[i].AttentionNorm.Gain, &w.Layers[i].OutputNorm.Gain)
	}
	return all
}}

// together is several scalings at once.
func together(name string, some ...scaling) scaling {
	return scaling{name, func(w *model.Weights) (all []**tensor.Dense) {
		for _, s := range some {
			all = append(all, s.of(w)...)
		}
		return all
	}}
}

// scaled returns a copy of w with some tensors multiplied. It shares the others with w.
func (s scaling) scaled(w *model.Weights, by float32) *model.Weights {
	own := *w
	own.Layers = slices.Clone(w.Layers)
	for _, at := range s.of(&own) {
		values := slices.Clone(model.Float32s(*at))
		for i := range values {
			values[i] *= by
		}
		*at = tensor.New(tensor.WithShape((*at).Shape()...), tensor.WithBacking(values))
	}
	return &own
}

// outcome is what scoring with scaled weights led to.
type outcome struct {
	refused error     // the error of opening; the rest is not set then
	mean    float64   // mean absolute error, as a share of the logits' standard deviation
	largest magnitude // in half
	widest  extent    // the bound that the device gives
}

// outcome scores a batch with scaled weights. It fails the test where the device opens and a
// score is not finite, or a magnitude is larger than its bound.
func (s scaling) outcome(t *testing.T, w *model.Weights, by float32, b *model.Batch) (o outcome) {
	t.Helper()
	own := s.scaled(w, by)
	e, err := emulator.Open(shaderSource(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	look := newWatch(e)
	d, err := open(own, look, DefaultTiling("Apple M1"))
	if errors.Is(err, ErrModel) {
		return outcome{refused: err}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	got, want := make([]float32, b.Len()), make([]float32, b.Len())
	if err := errors.Join(look.score(d, own, b, got), modeltest.Score(model.NewReference(own, 1), own, b, want)); err != nil {
		t.Fatal(err)
	}
	var mean, square float64
	n := float64(len(want))
	for i, v := range want {
		mean += float64(v) / n
		square += float64(v) * float64(v) / n
		o.mean += math.Abs(float64(got[i])-float64(v)) / n
	}
	// Behind a pooler whose tanh saturates all logits are the same.
	o.mean /= max(math.Sqrt(max(0, square-mean*mean)), 1e-3*math.Abs(mean))
	o.largest, o.widest = *look.largest(), d.widest
	if !(o.largest.most <= o.widest.most) {
		t.Errorf("%s: %g in %s of layer %d, and the bound is %g, of %s", s.name, o.largest.most, o.largest.what, o.largest.layer, o.widest.most, o.widest.what)
	}
	if !(o.mean < math.Inf(1)) {
		t.Errorf("%s: scores %g", s.name, got)
	}
	return o
}

// check fails the test where the device opened and the scores are off by more than allowed.
func (s scaling) check(t *testing.T, o outcome, allowed float64) {
	t.Helper()
	if o.refused != nil {
		t.Logf("%s: %v", s.name, o.refused)
		return
	}
	t.Logf("%s: off by %.2g of the deviation; %.4g the largest in half, in %s, %v", s.name, o.mean, o.largest.most, o.largest.what, o.widest)
	if !(o.mean <= allowed) {
		t.Errorf("%s: off by %g of the deviation, want at most %g", s.name, o.mean, allowed)
	}
}

// Trained weights are multiplied by 64: each kind of matrix in turn, all matrices, the norms'
// gains, and all of these. Half has room for every one but the last, which must be refused by
// name. Errors are larger with queries or keys: then attention's scores are 64 times as large,
// and so are their errors, which the softmax turns into factors.
func TestTrainedScaled(t *testing.T) {
	needEmulator(t)
	if testing.Short() || !modeltest.Thorough() {
		t.Skip("twelve models at full size, on the reference, too, are for MINILM_THOROUGH")
	}
	r := openTrained(t)
	b := r.encode(r.byLength()[:6])
	all := together("all matrices", matrices...)
	// With all matrices attention's scores are 4096 times as large. Rounding to half decides
	// then which key has the largest. Such scores need only be finite.
	most := map[string]float64{"queries": 0.3, "keys": 0.3, gains.name: 0.3, all.name: math.Inf(1)}
	for _, s := range slices.Concat(matrices, []scaling{all, gains}) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			allowed, known := most[s.name]
			if !known {
				allowed = 0.05
			}
			o := s.outcome(t, r.w, 64, b)
			if s.check(t, o, allowed); o.refused != nil {
				t.Errorf("%v, and half has room", o.refused)
			}
		})
	}
	both := together("all matrices, and gains", all, gains)
	t.Run(both.name, func(t *testing.T) {
		if o := both.outcome(t, r.w, 64, b); o.refused == nil || !strings.Contains(o.refused.Error(), "layer 0: inner channels") {
			t.Errorf("%v, want it refused by name", o.refused)
		} else {
			both.check(t, o, 0)
		}
	})
}

// Open refuses a model of which a bound is larger than half's range, and says which.
func TestBeyondHalf(t *testing.T) {
	w, err := smallWeights(1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	of := func(at func(w *model.Weights) **tensor.Dense) scaling {
		return scaling{"", func(w *model.Weights) []**tensor.Dense { return []**tensor.Dense{at(w)} }}
	}
	for want, s := range map[string]scaling{
		"embeddings' norm: the embeddings":                       of(func(w *model.Weights) **tensor.Dense { return &w.EmbeddingNorm.Gain }),
		"layer 1: queries":                                       of(func(w *model.Weights) **tensor.Dense { return &w.Layers[1].Query.B }),
		"layer 0: keys":                                          of(func(w *model.Weights) **tensor.Dense { return &w.Layers[0].Key.W }),
		"layer 1: values":                                        of(func(w *model.Weights) **tensor.Dense { return &w.Layers[1].Value.W }),
		"layer 0: the hidden state after attention":              of(func(w *model.Weights) **tensor.Dense { return &w.Layers[0].AttentionNorm.Bias }),
		"layer 1: inner channels":                                of(func(w *model.Weights) **tensor.Dense { return &w.Layers[1].Up.W }),
		"layer 1: the hidden state after the feed-forward block": of(func(w *model.Weights) **tensor.Dense { return &w.Layers[1].OutputNorm.Gain }),
	} {
		// The matrices are scaled as far as half can hold their own values.
		largest := float32(0)
		for _, v := range model.Float32s(*s.of(w)[0]) {
			largest = max(largest, v, -v)
		}
		by := 65000 / largest
		if strings.Contains(want, "hidden state") || strings.Contains(want, "queries") {
			by *= 10 // these are gains and biases, which are stored in float
		}
		m := new(mock)
		_, err := open(s.scaled(w, by), m, Uniform(Tiles[0]))
		if !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "beyond half's 65504") {
			t.Errorf("times %g: %v, want %s", by, err, want)
		}
		if m.live != 0 {
			t.Errorf("%s: %d objects left", want, m.live)
		}
	}
}

// fits says whether half can hold what all layers store.
func fits(w *model.Weights) bool {
	for i := range w.Layers {
		if layerExtent(w, i).fits() != nil {
			return false
		}
	}
	return true
}

// A model whose bounds come close to half's range, within a factor of two, is scored correctly.
func TestUpToHalf(t *testing.T) {
	needEmulator(t)
	w, err := smallWeights(1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b := modeltest.Batch(rand.New(rand.NewPCG(1, 1)), 600, 40, 3, 17, 64, 9, 33)
	for _, s := range []scaling{
		{"values", ofLayers(func(l *model.Layer) []**tensor.Dense { return []**tensor.Dense{&l.Value.W, &l.Value.B} })},
		{"inner channels", ofLayers(func(l *model.Layer) []**tensor.Dense { return []**tensor.Dense{&l.Up.W, &l.Up.B} })},
	} {
		by := float32(1)
		for fits(s.scaled(w, 2*by)) {
			by *= 2
		}
		if o := s.outcome(t, w, by, b); o.refused != nil || o.largest.most < 65504.0/16 {
			t.Errorf("%s times %g: %v, %g the largest in half", s.name, by, o.refused, o.largest.most)
		} else {
			s.check(t, o, 0.02)
		}
	}
}
