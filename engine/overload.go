package engine

import (
	"context"
	"fmt"
	"time"
)

// OverloadError is the error of a call that MaxQueue or MaxWait refuses. It wraps
// ErrOverloaded.
type OverloadError struct {
	Calls, Pairs int           // that waited when it was refused
	Counted      int           // of the pairs, those that count for MaxQueue
	Waited       time.Duration // by the call, where MaxWait was the limit; else 0
}

// Error says how many wait.
func (e *OverloadError) Error() string {
	s := fmt.Sprintf("%d pairs of %d calls wait", e.Pairs, e.Calls)
	if e.Waited > 0 {
		return fmt.Sprintf("%v: the call has waited for %v; %s", ErrOverloaded, e.Waited.Round(time.Millisecond), s)
	}
	return fmt.Sprintf("%v: %s, and %d of them count for MaxQueue", ErrOverloaded, s, e.Counted)
}

// Unwrap returns ErrOverloaded.
func (e *OverloadError) Unwrap() error { return ErrOverloaded }

type backgroundKey struct{}

// Background returns a context whose calls give way: while others wait, they have a
// sixteenth of the share that those have, and they never go before a pass that is under
// way. It is for bulk work that nobody waits for. A nil context stays nil, which calls
// refuse.
func Background(ctx context.Context) context.Context {
	if ctx == nil {
		return nil
	}
	return context.WithValue(ctx, backgroundKey{}, true)
}
