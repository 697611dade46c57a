package remote

import (
	"context"
	"errors"
	"fmt"
)

// Kinds of misses besides "status N". A report counts by them.
const (
	KindTimeout    = "time-out"
	KindConnection = "connection"  // none could be made, or it ended before an answer began
	KindBody       = "broken body" // cut off, no JSON, or not the dialect's
	KindCount      = "wrong count" // of scores, or one for a text twice
)

// Error is a request that brought no scores.
type Error struct {
	Kind   string // one of the kinds, or "status N"
	Status int    // of HTTP, if Kind is "status N"; 0 otherwise
	err    error
}

func (e *Error) Error() string { return fmt.Sprintf("remote: %s: %v", e.Kind, e.err) }
func (e *Error) Unwrap() error { return e.err }

var errTimeout = errors.New("no answer in time")

// broken is the error of a request that did not get to the end of its answer: that of ctx
// if it is over, so that what the bench cancels is not the server's miss.
func broken(ctx, timed context.Context, kind string, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case context.Cause(timed) == errTimeout:
		return &Error{Kind: KindTimeout, err: errTimeout}
	}
	return &Error{Kind: kind, err: err}
}
