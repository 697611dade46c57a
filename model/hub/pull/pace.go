package pull

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// errStalled and errSlow end an attempt that makes no progress.
var (
	errStalled = errors.New("the connection brings nothing")
	errSlow    = errors.New("the connection is too slow")
)

// paced calls try once. It ends try's context if nothing has arrived for the stall time, or
// if fewer bytes than minRate a second have arrived in a window of that length; windows
// follow one another from the first bytes on. try calls alive with the bytes that have
// arrived.
func (p *puller) paced(ctx context.Context, try func(context.Context, func(bytes int)) (int64, error)) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(p.stall, func() { cancel(fmt.Errorf("%w for %v", errStalled, p.stall)) })
	defer stalled.Stop()

	var arrived atomic.Int64 // in this window
	wanted := float64(p.minRate) * p.stall.Seconds()
	begun, ended := false, make(chan struct{})
	defer close(ended)
	watch := func() {
		window := time.NewTicker(p.stall)
		defer window.Stop()
		for {
			select {
			case <-ended:
				return
			case <-window.C:
			}
			if n := arrived.Swap(0); float64(n) < wanted {
				cancel(fmt.Errorf("%w: %.3g B/s over %v, want at least %d B/s",
					errSlow, float64(n)/p.stall.Seconds(), p.stall, p.minRate))
				return
			}
		}
	}
	brought, err := try(ctx, func(bytes int) {
		stalled.Reset(p.stall)
		arrived.Add(int64(bytes))
		if !begun {
			begun = true
			go watch()
		}
	})
	if cause := context.Cause(ctx); err != nil && (errors.Is(cause, errStalled) || errors.Is(cause, errSlow)) {
		err = &transientError{err: cause}
	}
	return brought, err
}
