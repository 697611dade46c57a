package serve

// A reply of /tokenize is up to seventy times as long as the texts, and takes more memory while it
// is made: so they have a limit of their own, and long ones take turns.
const (
	// tokensShare is the part of MaxText that the texts to be made tokens of may have. With
	// MaxText's default they may be as long as text-embeddings-inference's bodies.
	tokensShare = 32
	// tokensTurns is how many requests with many bytes to be made tokens of are answered at a
	// time, and tokensFew is how many bytes are few: those wait for nobody.
	tokensTurns = 4
	tokensFew   = 16 << 10
)

// takeTurn waits for the turn of a question that makes many tokens. It lasts until the exchange's
// end, since the reply's memory is most of it.
func (h *Handler) takeTurn(x *exchange, q *question) *failure {
	if q.task != tokenizing || q.bytes() <= tokensFew {
		return nil
	}
	select {
	case h.turns <- struct{}{}:
		x.onEnd(func() { <-h.turns })
		return nil
	case <-x.r.Context().Done():
		return failed(cancelled, "the client has gone")
	}
}
