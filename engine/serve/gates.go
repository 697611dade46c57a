package serve

import "time"

// pass lets an exchange of a route pass before its body is read, or says why not. One that is open
// always passes, and one that answers by itself needs no room.
func (h *Handler) pass(r bound) *failure {
	if r.open {
		return nil
	}
	if f := h.isReady(); f != nil || r.plain != nil {
		return f
	}
	return h.hasRoom()
}

// hasRoom lets nothing pass while as many exchanges are being answered as the option MaxRequests
// says: no body needs to be read for that.
func (h *Handler) hasRoom() *failure {
	if len(h.places) < cap(h.places) {
		return nil
	}
	return h.noRoom()
}

// takePlace gives an exchange a place among those that are being answered, until leave. It is
// asked when the body has come: who sends one slowly keeps no place from others.
func (h *Handler) takePlace(x *exchange) *failure {
	select {
	case h.places <- struct{}{}:
		x.placed = true
		return nil
	default:
		return h.noRoom()
	}
}

// leave gives back the place when the answer is made, and before it is sent: who reads slowly keeps
// no place from others, and who has read may ask again at once.
func (h *Handler) leave(x *exchange) {
	if x.placed {
		x.placed = false
		<-h.places
	}
}

func (h *Handler) noRoom() *failure {
	f := failed(overloaded, "%d requests are being answered, the limit of --max-requests", cap(h.places))
	f.retry = h.wait()
	return f
}

// retryLoading is when a client should ask again whether the model is there.
const retryLoading = time.Second

// isReady lets nothing pass before Use. After Drain it still does: requests that come are
// answered until the server stops listening.
func (h *Handler) isReady() *failure {
	if h.models.Load() == nil {
		f := failed(notReady, "the model is being loaded")
		f.retry = retryLoading
		return f
	}
	return nil
}

// takesMore is isReady for probes: after Drain, too, no more requests should come.
func (h *Handler) takesMore() *failure {
	if h.draining.Load() {
		f := failed(notReady, "the server is about to end")
		f.retry = retryLoading
		return f
	}
	return h.isReady()
}
