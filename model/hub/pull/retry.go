package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	attempts     = 6                // in a row that bring nothing to speak of
	progressMade = 1 << 20          // bytes after which an attempt brought something
	firstPause   = time.Second      // doubled after each attempt ...
	longestPause = 30 * time.Second // ... up to this
	longestWait  = 5 * time.Minute  // that a server's Retry-After is obeyed
)

// transientError is a failure that another attempt may not meet.
type transientError struct {
	err   error
	after time.Duration // at least this long from now; 0 if the server did not say
}

func (e *transientError) Error() string { return e.err.Error() }
func (e *transientError) Unwrap() error { return e.err }

// errStalled ends an attempt during which nothing has arrived for too long.
var errStalled = errors.New("the connection brings nothing")

// retry calls try until it succeeds, fails for good, or has failed too often in
// a row. try returns by how many bytes it got further than any try before and
// calls alive whenever some arrive; when it does not for the stall time, its
// context ends.
func (p *puller) retry(ctx context.Context, file string, try func(ctx context.Context, alive func()) (int64, error)) error {
	for failed := 1; ; failed++ {
		brought, err := p.timed(ctx, try)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		transient := (*transientError)(nil)
		if !errors.As(err, &transient) {
			return err
		}
		if brought >= progressMade {
			failed = 1
		}
		if failed == attempts {
			return fmt.Errorf("given up after %d attempts: %w", attempts, err)
		}
		if transient.after > longestWait {
			return fmt.Errorf("the server asks to come back in %v: %w", transient.after.Round(time.Second), err)
		}
		pause := max(transient.after, min(firstPause<<(failed-1), longestPause))
		p.retrying(file, err, pause)
		if err := p.sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// timed calls try once, under the stall clock.
func (p *puller) timed(ctx context.Context, try func(context.Context, func()) (int64, error)) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	clock := time.AfterFunc(p.stall, func() { cancel(errStalled) })
	defer clock.Stop()
	brought, err := try(ctx, func() { clock.Reset(p.stall) })
	if err != nil && context.Cause(ctx) == errStalled {
		err = &transientError{err: fmt.Errorf("%w for %v", errStalled, p.stall)}
	}
	return brought, err
}

// retryAfter reads how long a server asks to be left alone: seconds, or a date
// by its own clock.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	then, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, then.Sub(now))
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
