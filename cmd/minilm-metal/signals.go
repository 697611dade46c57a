package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// signalled is why a context ended that ends with a signal.
type signalled struct{ os.Signal }

func (s signalled) Error() string { return s.String() + " signal received" }

// untilSignal returns a context that ends with the first interrupt or SIGTERM. Signals are not caught
// any more when it ends: whoever sees its end, or says so to the user, can count on a second signal
// ending the process at once. (signal.NotifyContext and its stop function leave that open.)
func untilSignal() context.Context {
	ctx, end := context.WithCancelCause(context.Background())
	first := make(chan os.Signal, 1)
	signal.Notify(first, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-first
		signal.Stop(first)
		end(signalled{s})
	}()
	return ctx
}

// byHand reports whether ctx was ended by an interrupt from the keyboard, and not by SIGTERM.
func byHand(ctx context.Context) bool {
	var s signalled
	return errors.As(context.Cause(ctx), &s) && s.Signal == os.Interrupt
}
