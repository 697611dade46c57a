package model

import "time"

// Device runs a model's blocks on some hardware. It packs the weights its own
// way when it is opened. All methods are safe for concurrent use.
type Device interface {
	// Name says what the device is, for reports: "cpu", "metal".
	Name() string
	// Passes says how many passes the device runs at the same time.
	Passes() int
	// Begin starts a pass over a valid batch, which must stay unchanged until
	// the pass ends. It waits while Passes() others are under way.
	Begin(b *Batch) Pass
	// Close releases what the device holds. No pass may be under way.
	Close() error
}

// Pass is one batch on its way through the encoder. Its hidden state x (one
// row of hidden_size per token) is implicit; blocks are called in the
// encoder's order by one goroutine. Errors are kept for the end.
type Pass interface {
	// Embed sets x = LN(word + position + type).
	Embed()
	// Attention sets x = LN(x + Wo·softmax(QKᵀ/√d)·V + bo) for the kept rows;
	// the others are dead from then on.
	Attention(layer int, keep Rows)
	// FeedForward sets x = LN(x + W2·gelu(W1·x + b1) + b2) for the live rows.
	FeedForward(layer int)
	// Hidden copies the live rows of x to dst: T×hidden, or S×hidden once only
	// [CLS] rows are kept. It is there for tests.
	Hidden(dst []float32) error
	// Classify writes Wc·tanh(Wp·x_cls + bp) + bc, one logit per sequence.
	Classify(scores []float32) error
	// End gives the pass's place on the device to the next one. It is called
	// once, also when the pass was given up before Classify or panicked.
	End()
}

// Rows says which rows of the hidden state a block must produce.
type Rows int

const (
	AllRows Rows = iota // every token's
	ClsRows             // the first of each sequence, which is all the head reads
)

// PassTime is what a pass cost on hardware that has a clock of its own.
type PassTime struct {
	Wait time.Duration // in the hardware's queue
	Busy time.Duration // computing
}

// TimedPass is what a Pass offers that knows its PassTime, once it is classified.
type TimedPass interface{ PassTime() PassTime }

// Score runs the whole encoder (Devlin et al. 2018, arXiv:1810.04805) over b
// and writes one logit per sequence to scores. The last layer is computed for
// the [CLS] rows alone.
func Score(d Device, c *Config, b *Batch, scores []float32) error {
	_, err := ScoreTimed(d, c, b, scores)
	return err
}

// ScoreTimed is Score, and says what the pass cost where the device knows.
func ScoreTimed(d Device, c *Config, b *Batch, scores []float32) (took PassTime, err error) {
	if err := b.Validate(c); err != nil {
		return took, err
	}
	if b.Len() == 0 {
		return took, nil // devices need not think of it
	}
	p := d.Begin(b)
	defer p.End()
	p.Embed()
	for layer := range c.Layers {
		keep := AllRows
		if layer == c.Layers-1 {
			keep = ClsRows
		}
		p.Attention(layer, keep)
		p.FeedForward(layer)
	}
	if err := p.Classify(scores); err != nil {
		return took, err
	}
	if timed, ok := p.(TimedPass); ok {
		took = timed.PassTime()
	}
	return took, nil
}
