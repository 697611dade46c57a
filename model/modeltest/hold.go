package modeltest

import (
	"fmt"
	"math"

	"github.com/minilm-metal/minilm-metal/model"
)

// Hold holds a device over m's weights to what its rounding allows, block by block: what
// a block makes of the hidden state that the device has is compared with float64
// arithmetic on the same, value by value, so that errors do not add up over blocks, nor
// hide behind those of others. It returns the final logits, none where the model has no
// score, and the largest error as a share of what is allowed.
func (m *Random) Hold(d model.Device, r Rounding) (logits []float32, largest float64, err error) {
	c := &m.Weights.Config
	p, err := d.Begin(m.Batch)
	if err != nil {
		return nil, 0, err
	}
	defer p.End()
	exact := bounds{&r, m.Weights, m.Batch}
	var x uncertain // as the device has it
	step := func(block string, rows int, want uncertain) error {
		got := make([]float32, rows*c.HiddenSize)
		if err := p.Hidden(got); err != nil {
			return fmt.Errorf("%s: %w", block, err)
		}
		share, err := within(got, want, c.HiddenSize)
		largest, x = max(largest, share), exactly(got)
		if err != nil {
			return fmt.Errorf("%s: %w", block, err)
		}
		return nil
	}
	p.Embed()
	err = step("embed", m.Batch.Tokens(), exact.embed())
	for layer := 0; layer < c.Layers && err == nil; layer++ {
		keep, rows := model.AllRows, m.Batch.Tokens()
		if layer == c.Layers-1 {
			keep, rows = model.ClsRows, m.Batch.Len()
		}
		p.Attention(layer, keep)
		if err = step(fmt.Sprintf("layer %d attention", layer), rows, exact.attention(layer, x, keep)); err == nil {
			p.FeedForward(layer)
			err = step(fmt.Sprintf("layer %d feed-forward", layer), rows, exact.feedForward(layer, x))
		}
	}
	if err != nil {
		return nil, largest, err
	}
	logits = make([]float32, m.Batch.Len())
	if refused := m.Weights.CheckHead(); refused != nil {
		if err := p.Classify(logits); err == nil || err.Error() != refused.Error() {
			return nil, largest, fmt.Errorf("classified into %g, %v, want %w", logits, err, refused)
		}
		return nil, largest, nil
	}
	if err := p.Classify(logits); err != nil {
		return nil, largest, err
	}
	share, err := within(logits, exact.classify(x), 1)
	if err != nil {
		err = fmt.Errorf("classify: %w", err)
	}
	return logits, max(largest, share), err
}

// within returns the largest error as a share of what it may be, and an error that says
// where it is where that is more than 1, or no number.
func within(got []float32, want uncertain, width int) (largest float64, err error) {
	if len(got) != len(want.v) {
		return 0, fmt.Errorf("%d values, want %d", len(got), len(want.v))
	}
	at := 0
	for i, v := range want.v {
		share := math.Abs(float64(got[i]) - v)
		if share != 0 {
			share /= deviations * want.s[i]
		}
		if !(share <= largest) {
			largest, at = share, i
		}
		if math.IsNaN(share) {
			break
		}
	}
	if !(largest <= 1) {
		err = fmt.Errorf("x[%d,%d] = %g, want %g ± %.2g", at/width, at%width, got[at], want.v[at], deviations*want.s[at])
	}
	return largest, err
}
