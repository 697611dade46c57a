package serve

import "time"

// gate lets an exchange pass before its body is read, or says why not. What it takes, it gives
// back by exchange.onEnd.
type gate func(*Handler, *exchange) *failure

// gates are asked in this order, except for routes that are open.
var gates = []gate{(*Handler).isReady, (*Handler).hasRoom}

// hasRoom lets pass as many exchanges at a time as the option MaxRequests says.
func (h *Handler) hasRoom(x *exchange) *failure {
	select {
	case h.places <- struct{}{}:
		x.onEnd(func() { <-h.places })
		return nil
	default:
		f := failed(overloaded, "%d requests are being answered, the limit of --max-requests", cap(h.places))
		f.retry = h.wait()
		return f
	}
}

// retryLoading is when a client should ask again whether the model is there.
const retryLoading = time.Second

// isReady lets nothing pass before Use. After Drain it still does: requests that come are
// answered until the server stops listening.
func (h *Handler) isReady(*exchange) *failure {
	if h.models.Load() == nil {
		f := failed(notReady, "the model is being loaded")
		f.retry = retryLoading
		return f
	}
	return nil
}

// takesMore is isReady for probes: after Drain, too, no more requests should come.
func (h *Handler) takesMore(x *exchange) *failure {
	if h.draining.Load() {
		f := failed(notReady, "the server is about to end")
		f.retry = retryLoading
		return f
	}
	return h.isReady(x)
}
