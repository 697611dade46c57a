package engine

import (
	"context"
	"fmt"
	"time"
)

// OverloadError is the error of a call that MaxQueue or MaxWait refuses. It wraps
// ErrOverloaded.
type OverloadError struct {
	Calls, Pairs int           // that waited when the call was refused
	Counted      int           // how many of the pairs count for MaxQueue
	Waited       time.Duration // how long the call waited, if MaxWait refused it; else 0
}

// Error says how many calls and pairs wait.
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

// Background returns a context for bulk work that nobody waits for. Its calls give way:
// while other calls wait, they get a sixteenth of the others' share, and they never
// interrupt a pass that is under way. For a nil ctx it returns nil, which calls refuse.
func Background(ctx context.Context) context.Context {
	if ctx == nil {
		return nil
	}
	return context.WithValue(ctx, backgroundKey{}, true)
}
