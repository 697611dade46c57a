package conformance

import (
	"errors"
	"fmt"
	"math"

	"github.com/minilm-metal/minilm-metal/model"
)

// Block says how far off a device was in one block of a model: the error of the value that
// is closest to its bound, or farthest beyond it.
type Block struct {
	Name    string  // "layer 0 attention"
	Values  int     // that were compared
	Error   float64 // distance from exact arithmetic; NaN if the value is not a number
	Allowed float64 // the bound of that value
}

// Share returns the error as a share of the bound: more than 1 is wrong.
func (b Block) Share() float64 {
	if b.Error == 0 {
		return 0
	}
	return b.Error / b.Allowed
}

// Report says how far off a device was in each block, in the order in which they ran.
type Report struct {
	Blocks []Block
	Pooled []float32 // what the case's reductions read; nil if a block failed
}

// Largest returns the largest share of a bound, or NaN if a value is not a number.
func (r *Report) Largest() (largest float64) {
	for _, b := range r.Blocks {
		largest = max(largest, b.Share())
	}
	return largest
}

// Hold compares a device, opened with m's weights, with what its rounding allows, block by
// block. It takes the hidden state that the device has before a block, and compares what
// the device makes of it with float64 arithmetic on the same input, value by value. So
// errors do not add up over blocks, and do not hide behind others.
//
// The error names each block that exceeds its bounds, and a value in it. Hold compares
// later blocks as well, unless a value is not a number.
func (m *Case) Hold(d model.Device, r Rounding) (*Report, error) {
	c, report := &m.Weights.Config, new(Report)
	p, err := d.Begin(m.Batch)
	if err != nil {
		return report, err
	}
	defer p.End()
	exact := bounds{&r, m.Weights, m.Batch}
	var over []error // blocks that exceed their bounds
	compare := func(block string, got []float32, want uncertain, width int) error {
		worst, err := within(got, want, width)
		worst.Name = block
		report.Blocks = append(report.Blocks, worst)
		if err != nil {
			over = append(over, fmt.Errorf("%s: %w", block, err))
		}
		if math.IsNaN(worst.Error) {
			return errors.Join(over...)
		}
		return nil
	}
	var x uncertain // the device's hidden state
	step := func(block string, rows int, want uncertain) error {
		got := make([]float32, rows*c.HiddenSize)
		if err := p.Hidden(got); err != nil {
			return errors.Join(append(over, fmt.Errorf("%s: %w", block, err))...)
		}
		x = exactly(got)
		return compare(block, got, want, c.HiddenSize)
	}
	p.Embed()
	if err := step("embed", m.Batch.Tokens(), exact.embed()); err != nil {
		return report, err
	}
	for layer := range c.Layers {
		keep, rows := model.AllRows, m.Batch.Tokens()
		if layer == c.Layers-1 && model.LastRows(m.Reduce) == model.ClsRows {
			keep, rows = model.ClsRows, m.Batch.Len()
		}
		p.Attention(layer, keep)
		if err := step(fmt.Sprintf("layer %d attention", layer), rows, exact.attention(layer, x, keep)); err != nil {
			return report, err
		}
		p.FeedForward(layer)
		if err := step(fmt.Sprintf("layer %d feed-forward", layer), rows, exact.feedForward(layer, x)); err != nil {
			return report, err
		}
	}
	pooled := make([]float32, m.Batch.Len()*len(m.Reduce)*c.HiddenSize)
	if err := p.Pool(m.Reduce, pooled); err != nil {
		return report, errors.Join(append(over, err)...)
	}
	if err := compare("pool", pooled, exact.pool(m.Reduce, x, model.LastRows(m.Reduce)), c.HiddenSize); err != nil {
		return report, err
	}
	if len(over) > 0 {
		return report, errors.Join(over...)
	}
	report.Pooled = pooled
	return report, nil
}

// within returns the error that is the largest share of its bound. err says where it is, if
// it exceeds the bound or is not a number.
func within(got []float32, want uncertain, width int) (worst Block, err error) {
	worst.Values = len(want.v)
	if len(got) != len(want.v) {
		worst.Error = math.NaN()
		return worst, fmt.Errorf("%d values, want %d", len(got), len(want.v))
	}
	at := 0
	for i, v := range want.v {
		one := Block{Error: math.Abs(float64(got[i]) - v), Allowed: deviations * want.s[i]}
		if share := one.Share(); i == 0 || !(share <= worst.Share()) {
			worst.Error, worst.Allowed, at = one.Error, one.Allowed, i
		}
		if math.IsNaN(worst.Share()) {
			worst.Error = math.NaN() // also infinity minus infinity
			break
		}
	}
	if !(worst.Share() <= 1) {
		err = fmt.Errorf("x[%d,%d] = %g, want %g ± %.2g", at/width, at%width, got[at], want.v[at], worst.Allowed)
	}
	return worst, err
}
