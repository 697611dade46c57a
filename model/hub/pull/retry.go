package pull

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	attempts     = 6                // failures in a row without progress
	fewAttempts  = 3                // if nobody answers at the address
	spareTries   = 2                // if the cache can answer, too
	progressMade = 1 << 20          // bytes that count as progress
	firstPause   = time.Second      // doubled after each attempt ...
	longestPause = 30 * time.Second // ... up to this
	longestWait  = 5 * time.Minute  // longest Retry-After of a server that is followed
)

// transientError is a failure after which another attempt may succeed.
type transientError struct {
	err   error
	after time.Duration // do not try earlier than this from now; 0 if the server did not say
}

func (e *transientError) Error() string { return e.err.Error() }
func (e *transientError) Unwrap() error { return e.err }

// downError ends a pull: during all attempts, the hub or the storage could not be reached
// or did not work.
type downError struct{ err error }

func (e *downError) Error() string { return e.err.Error() }
func (e *downError) Unwrap() error { return e.err }

// retry calls try until it succeeds, fails for good, or has failed most times in a row. try
// runs under paced, and returns by how many bytes it got further than any try before.
func (p *puller) retry(ctx context.Context, file string, most int, try func(ctx context.Context, alive func(bytes int)) (int64, error)) error {
	for failed := 1; ; failed++ {
		brought, err := p.paced(ctx, try)
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
		enough := most
		if unreachable(err) {
			enough = min(most, fewAttempts)
		}
		if failed >= enough {
			return gaveUp(fmt.Errorf("given up after %d attempts: %w", failed, err))
		}
		if transient.after > longestWait {
			return gaveUp(fmt.Errorf("the server asks to come back in %v: %w", transient.after.Round(time.Second), err))
		}
		pause := max(transient.after, min(firstPause<<(failed-1), longestPause))
		p.retrying(file, err, pause)
		if err := p.sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// gaveUp makes the last error a downError, unless the server answered and its answer was
// wrong.
func gaveUp(err error) error {
	if errors.Is(err, ErrProtocol) || errors.Is(err, ErrMismatch) {
		return err
	}
	return &downError{err}
}

// unreachable reports whether a connection could not be made at all. Then another attempt
// seldom succeeds: nobody listens there, or this machine has no network.
func unreachable(err error) bool {
	op := (*net.OpError)(nil)
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// retryAfter reads how long a server asks to wait: seconds, or a date by its own clock.
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
