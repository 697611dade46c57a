package engine

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/minilm-metal/minilm-metal/model"
)

// guarded runs a pass and turns a panic in it into an error, so that a fault of ours does
// not end the caller's program.
func (e *Engine) guarded(pass func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = e.panicked("pass", r)
		}
	}()
	if e.detached { // the file may change: it is not read any more
		err = pass()
	} else {
		err = e.weights.Guard(pass)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, model.ErrHardware):
		return because(ErrHardware, err)
	default:
		return because(ErrModel, err)
	}
}

// observed notes that a pass has ended, and passes its stats to the observer.
func (e *Engine) observed(s PassStats) {
	e.mu.Lock()
	e.stats.Running--
	e.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			e.panicked("observer", r)
		}
	}()
	e.options.observe(s)
}

// panicked logs a panic and returns it as an error.
func (e *Engine) panicked(where string, reason any) error {
	e.options.logger.Error("panic in "+where, "panic", reason, "stack", string(debug.Stack()))
	return fmt.Errorf("engine: internal error: %v", reason)
}
