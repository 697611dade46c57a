package model

// Device runs a model's blocks on some hardware. It packs the weights its own
// way when it is opened. All methods are safe for concurrent use.
type Device interface {
	// Name says what the device is, for reports: "cpu", "metal".
	Name() string
	// Passes says how many passes the device runs at the same time.
	Passes() int
	// Begin starts a pass over a valid batch, which must stay unchanged until
	// the pass ends. It does not wait for others: while Passes() of them are under
	// way the error wraps ErrBusy, and whoever shares a device has a queue before it.
	Begin(b *Batch) (Pass, error)
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

// Score runs the whole encoder over b and writes one logit per sequence to scores, which
// has room for as many. The error is Validate's of a batch that the model cannot score, or
// the device's. It waits for nobody: see Device.Begin.
func Score(d Device, c *Config, b *Batch, scores []float32) error {
	if err := b.Validate(c); err != nil {
		return err
	}
	if b.Len() == 0 {
		return nil // devices need not think of it
	}
	p, err := d.Begin(b)
	if err != nil {
		return err
	}
	defer p.End()
	return Forward(p, c.Layers, scores)
}

// Forward runs the encoder (Devlin et al. 2018, arXiv:1810.04805) from the first block
// to the logits, in a pass that has just begun. The last layer is computed for the
// [CLS] rows alone.
func Forward(p Pass, layers int, scores []float32) error {
	p.Embed()
	for layer := range layers {
		keep := AllRows
		if layer == layers-1 {
			keep = ClsRows
		}
		p.Attention(layer, keep)
		p.FeedForward(layer)
	}
	return p.Classify(scores)
}
