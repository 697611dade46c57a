package engine

import (
	"context"
	"errors"
	"fmt"
)

// Close ends the engine: calls under way return ErrClosed at once, and so do later ones.
// It waits for the passes under way, and releases the device and the weights. Further
// calls of Close return the same error. Shutdown lets calls end first.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closing, e.stopped = true, true
	closeOnce(e.closed)
	e.quieten()
	e.mu.Unlock()
	<-e.quiet
	e.release.Do(func() { e.releaseErr = errors.Join(e.device.Close(), e.weights.Close()) })
	return e.releaseErr
}

// Shutdown refuses new calls with ErrClosed, waits for those under way to end, streams
// and calls of Background included, and then is Close. When ctx is over before that, the
// calls that are left are interrupted as by Close, and the error wraps the cause of ctx.
// Bulk work that would take longer is for the caller to end before.
func (e *Engine) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return errNilContext
	}
	e.mu.Lock()
	e.closing = true
	e.quieten()
	e.mu.Unlock()
	var err error
	select {
	case <-e.drained:
	case <-e.closed:
	case <-ctx.Done():
		e.mu.Lock()
		if e.calls > 0 { // else they have ended before that, or at once
			err = fmt.Errorf("engine: shutdown: calls interrupted: %d: %w", e.calls, context.Cause(ctx))
		}
		e.mu.Unlock()
	}
	return errors.Join(err, e.Close())
}

// quieten closes drained when the engine is closing and no calls are left, and quiet when
// it has stopped and nobody uses the device. Neither condition can end again.
func (e *Engine) quieten() {
	if e.closing && e.calls == 0 {
		closeOnce(e.drained)
	}
	if e.stopped && e.users == 0 {
		closeOnce(e.quiet)
	}
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// enter counts one more user of the device, or returns ErrClosed.
func (e *Engine) enter() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return ErrClosed
	}
	e.users++
	return nil
}

// leave counts one user less.
func (e *Engine) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.users--
	e.quieten()
}

// cancelled marks the error of a call whose context is over, until ended replaces it by the
// context's cause. A cause may be of any type, also one that cannot be compared, so the
// mark is a type of ours.
type cancelled struct{ error }

// ended counts a call that has ended, and returns its error.
func (e *Engine) ended(err error) error {
	over, isOver := err.(cancelled)
	refused := !isOver && errors.Is(err, ErrOverloaded)
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &e.stats
	s.Calls++
	switch {
	case isOver:
		s.Cancelled++
		err = over.error
	case refused:
		s.Refused++
	}
	if err != nil {
		s.Failed++
	}
	return err
}
