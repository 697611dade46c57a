package recording

import (
	"fmt"
	"time"
)

// Handling is what a batch cost besides waiting, tokenization and inference. With it the
// moments of a batch follow, one after the other:
//
//	due       Start
//	sent      due + Late
//	admitted  sent + Admit
//	started   admitted + Queue - Late
//	computing started + Tokenize - Overlapped
//	packed    computing + Pack
//	ended     computing + Infer
//	handed    ended + Deliver
//	done      Start + Latency
//
// What lies between the last two is in no stage.
type Handling struct {
	Admit   time.Duration `json:"admit_ns"`   // from the call to its place in the engine's queue
	Pack    time.Duration `json:"pack_ns"`    // of Infer: until the first pass is laid out
	Deliver time.Duration `json:"deliver_ns"` // until the scores are the caller's
}

// validate checks the handling of a batch; nil is not told.
func (h *Handling) validate(b *BatchSample) error {
	switch {
	case h == nil:
		return nil
	case h.Admit < 0 || h.Deliver < 0:
		return fmt.Errorf("field \"handling\": %v, %v: want at least 0", h.Admit, h.Deliver)
	case h.Pack < 0 || h.Pack > b.Infer:
		return fmt.Errorf("field \"pack_ns\": %v, want 0 to the inference's %v", h.Pack, b.Infer)
	}
	return nil
}

// Residual is the part of the latency that is in no stage: what it takes to call and to
// return. Without a handling that is in it too.
func (b *BatchSample) Residual() time.Duration {
	rest := b.Latency - (b.Queue + b.Tokenize - b.Overlapped + b.Infer)
	if b.Handling != nil {
		rest -= b.Handling.Admit + b.Handling.Deliver
	}
	return rest
}
