package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// Ground is what others are measured on beside ours: the text that Measure would take, its
// tokens, and the truth about some of it.
type Ground struct {
	Model   recording.Model
	Dataset recording.Dataset // of Pairs
	Pairs   []engine.Pair
	Batch   model.Batch // the tokens of Pairs
	// Others are further pairs of the same text, which are not measured, and OthersBatch
	// their tokens; fewer than were asked for if there is no more of it, and then none.
	Others      []engine.Pair
	OthersBatch model.Batch

	sample []int // of Pairs
	want   []float64
	width  int // values of an embedding; 0: scores are compared
}

// NewGround opens the model of o.Model twice, to tokenize and for the reference, and closes
// it again. Ground has o.Pairs pairs of o.Dataset and so many others; checked of them are
// scored by the reference, which takes a third of a second each on one core. Of a model that
// makes embeddings, a pair is a text, as in Options.
func NewGround(ctx context.Context, o Options, others, checked int) (*Ground, error) {
	o.Embed = o.Embed || o.Model.Embeds()
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	w, err := o.openText(o.Pairs + others)
	if err != nil {
		return nil, err
	}
	g := &Ground{Model: recording.Model{ID: o.Model.ID, Synthetic: o.Model.Synthetic}}
	if len(w.pairs) > o.Pairs {
		g.Others, w.pairs = w.pairs[o.Pairs:], w.pairs[:o.Pairs]
	}
	if o.Dataset == "" { // whose hash is that of what was made of it
		if err := w.hash(); err != nil {
			return nil, err
		}
	}
	if g.Model.WeightsSHA256, err = weightsSHA256(o.Model.Files); err != nil {
		return nil, err
	}
	if g.Model.TokenizerSHA256, err = tokenizerSHA256(o.Model.Files); err != nil {
		return nil, err
	}
	opts := []engine.Option{engine.Device("reference")}
	if o.Workers > 0 {
		opts = append(opts, engine.Workers(o.Workers))
	}
	e, err := o.openEngine(opts)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer func() {
		e.Close()
		debug.FreeOSMemory() // nothing that is measured from now on should lack it
	}()
	info := e.Info()
	g.Model.Layers, g.Model.Hidden, g.Model.Parameters = info.Config.Layers, info.Config.HiddenSize, info.Parameters
	g.Pairs, g.width = w.pairs, info.Dimensions
	if err := errors.Join(e.Tokenize(&g.Batch, g.Pairs), e.Tokenize(&g.OthersBatch, g.Others), w.measureLengths(e)); err != nil {
		return nil, err
	}
	g.Dataset = w.dataset()
	g.sample = accuracySample(w.tokens, checked)
	for i := range g.sample { // one by one, to show the progress
		o.Progress("reference", i, len(g.sample))
		values, _, err := e.ScoreStats(ctx, nil, g.Pairs[g.sample[i]:g.sample[i]+1])
		if err != nil {
			return nil, fmt.Errorf("bench: accuracy: reference: %w", err)
		}
		g.want = append(g.want, widen(values)...)
	}
	return g, nil
}

const (
	// othersF32 is the limit for float32 where others are measured, as a share of the logits'
	// standard deviation. Ours is derived from how our sums are made, and theirs lie just below
	// or above it: 1.5e-5 to 1.9e-5 on made-up weights, for PyTorch, ONNX Runtime and OpenVINO.
	// GELU by tanh in the place of erf, which is wrong, is off by a hundred times as much.
	othersF32 = 1e-4
	// swappedByError is the share of all orders that a centred error of one standard deviation
	// would reverse, for a small one that is independent from pair to pair: see tolerances.
	swappedByError = 0.39
)

// Check holds the logits of all pairs, or the embeddings of all texts in a row, to the limits that the gate of Measure has for a
// precision of ours, but float32 to 1e-4. Its error wraps ErrInaccurate and says which of them
// is broken.
//
// For bf16 and int8 the limits stand for the orders that an error of this size reverses: 3 and
// 6 % of them. An error of another shape, such as logits that are pressed together at one end,
// may be larger and reverse few. So logits pass, too, if they reverse no more than that.
func (g *Ground) Check(values []float64, precision string) (*recording.Accuracy, error) {
	allowed, ok := tolerances[precision]
	if !ok {
		return nil, fmt.Errorf("bench: accuracy: precision %q has no tolerances", precision)
	}
	if precision == "f32" {
		allowed = recording.Tolerances{Tolerance: othersF32, CentredTolerance: othersF32, OffsetTolerance: othersF32}
	}
	each := max(1, g.width)
	if len(values) != each*len(g.Pairs) {
		return nil, fmt.Errorf("bench: accuracy: %d values for %d, want %d each", len(values), len(g.Pairs), each)
	}
	var got []float64
	for _, at := range g.sample {
		got = append(got, values[at*each:(at+1)*each]...)
	}
	compare, noun := compareScores, "pairs"
	if g.width > 0 {
		noun = "texts"
		compare = func(got, want []float64, allowed recording.Tolerances) (*recording.Accuracy, []string) {
			return compareEmbeddings(got, want, len(g.sample), allowed)
		}
	}
	a, broken := compare(got, g.want, allowed)
	swapped := swappedByError * allowed.CentredTolerance
	if rounds := precision == "bf16" || precision == "int8"; !a.Passed && rounds && a.FlippedOrders != nil && *a.FlippedOrders <= swapped {
		a.Passed = true
	}
	if !a.Passed {
		return a, fmt.Errorf("%w: %s over %d %s: %s", ErrInaccurate, precision, a.Pairs, noun, strings.Join(broken, "; "))
	}
	return a, nil
}

// Load1 returns the load average over one minute; nil: the system has none.
func Load1() *float64 { return load1() }
