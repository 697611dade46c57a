package model

// Device runs a model's blocks on some hardware. When it is opened it packs the weights in
// its own format. All methods are safe for concurrent use.
type Device interface {
	// Name returns the device's name for reports: "cpu", "metal".
	Name() string
	// Passes returns how many passes the device runs at the same time.
	Passes() int
	// Begin starts a pass over a valid batch, which must not change until the pass ends. It
	// does not wait for other passes: if Passes() of them are under way, the error wraps
	// ErrBusy. Several users of a device need a queue before it.
	Begin(b *Batch) (Pass, error)
	// Close releases the device. No pass may be under way.
	Close() error
}

// Pass is the run of one batch through the encoder. Its hidden state x, one row of
// hidden_size for each token, is kept by the device. One goroutine calls the blocks in the
// encoder's order. Errors are reported by the last call.
type Pass interface {
	// Embed sets x = LN(word + position + type), or P·LN(...) + p if there is a projection.
	Embed()
	// Attention sets x = LN(x + Wo·softmax(QKᵀ/√d)·V + bo) for the kept rows. The other
	// rows may not be used any more.
	Attention(layer int, keep Rows)
	// FeedForward sets x = LN(x + W2·gelu(W1·x + b1) + b2) for the rows still in use.
	FeedForward(layer int)
	// Hidden copies the rows of x in use to dst: T×hidden, or S×hidden if only [CLS] rows
	// are kept. It is for tests.
	Hidden(dst []float32) error
	// Pool writes what the reductions read of x, S×len(r)×hidden: those of the first sequence
	// side by side, then those of the second. If only [CLS] rows are kept, all are First.
	Pool(r []Reduce, dst []float32) error
	// End frees the pass's place on the device. Call it exactly once, also if the pass was
	// given up before Pool, or panicked.
	End()
}

// Rows says which rows of the hidden state a block must compute.
type Rows int

const (
	AllRows Rows = iota // the rows of all tokens
	ClsRows             // the first row of each sequence
)

// Encode runs the whole encoder over b and writes what the reductions read of its output to
// dst, S×len(r)×hidden. A Head makes scores or an embedding of it. Encode returns Validate's
// error for a batch that the model cannot encode, or an error of the device. It does not wait
// for other passes: see Device.Begin.
func Encode(d Device, c *Config, b *Batch, r []Reduce, dst []float32) error {
	if err := b.Validate(c); err != nil {
		return err
	}
	if b.Len() == 0 {
		return nil // so that devices never see an empty batch
	}
	p, err := d.Begin(b)
	if err != nil {
		return err
	}
	defer p.End()
	return Forward(p, c.Layers, r, dst)
}

// Forward runs the encoder (Devlin et al. 2018, arXiv:1810.04805) in a pass that has just
// begun, from the first block to the reductions. It computes the last layer for the rows
// that they read only.
func Forward(p Pass, layers int, r []Reduce, dst []float32) error {
	p.Embed()
	for layer := range layers {
		keep := AllRows
		if layer == layers-1 {
			keep = LastRows(r)
		}
		p.Attention(layer, keep)
		p.FeedForward(layer)
	}
	return p.Pool(r, dst)
}
