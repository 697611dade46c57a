package serve

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
)

// whyNot makes a failure of the error of an engine's call. None of the messages has a text.
func whyNot(ctx context.Context, err error) *failure {
	f := (*failure)(nil)
	long, over := (*engine.TooLongError)(nil), (*engine.OverloadError)(nil)
	switch {
	case errors.As(err, &f):
		return f
	case ctx.Err() != nil:
		f = gone(ctx)
	case errors.As(err, &over) && over.Waited > 0:
		f = failed(overloaded, "the server is overloaded: the request has waited for %v, the limit of --max-wait", over.Waited.Round(time.Millisecond))
	case errors.As(err, &over):
		f = failed(overloaded, "the server is overloaded: %d texts of %d requests wait, the limit of --max-queue", over.Pairs, over.Calls)
	case errors.Is(err, engine.ErrClosed):
		f = failed(notReady, "the server is about to end")
		f.retry = retryLoading
	case errors.As(err, &long):
		f = failed(tooLong, "text %d has %d tokens, and must have at most %d: have it truncated, or send less", indexOf(err), long.Tokens, long.Limit)
		f.tokens, f.limit = long.Tokens, long.Limit
	case errors.Is(err, engine.ErrTooLong):
		f = failed(tooLong, "text %d is too long", indexOf(err))
	case errors.Is(err, engine.ErrPrompt):
		f = about("prompt_name", invalid, "%s", strings.TrimPrefix(err.Error(), "engine: "))
	case errors.Is(err, engine.ErrHardware):
		f = failed(deviceFailed, "the device failed")
	case errors.Is(err, engine.ErrModel) && !aboutOne(err):
		f = failed(deviceFailed, "the model's weights can no longer be read")
	case errors.Is(err, engine.ErrModel):
		f = failed(badResult, "the model's output for text %d is not a number", indexOf(err))
	default:
		f = failed(internal, "an internal error, which the server's log describes")
	}
	f.cause = err
	return f
}

// gone is the failure of a request whose context is over. A server's own contexts have no deadline, but
// a program that has the handler among its own may give each request a time.
func gone(ctx context.Context) *failure {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return failed(outOfTime, "the request was not answered within the time that the program around the server gives it")
	}
	return failed(cancelled, "the client has gone")
}

// aboutOne reports whether an error is about some of the texts or pairs, and not the whole call.
func aboutOne(err error) bool {
	text, pair := (*engine.TextError)(nil), (*engine.PairError)(nil)
	return errors.As(err, &text) || errors.As(err, &pair)
}

// indexOf is the index of the text or pair that an error is about, 0 if it does not say.
func indexOf(err error) int {
	if one := (*engine.TextError)(nil); errors.As(err, &one) {
		return one.Index
	}
	if one := (*engine.PairError)(nil); errors.As(err, &one) {
		return one.Index
	}
	return 0
}
