package serve

import "context"

// A reply of /tokenize is up to seventy times as long as the texts, and one of /decode takes twenty
// times as much memory as its ids: so they have a limit of their own, and long ones take turns.
const (
	// tokensShare is the part of MaxText that the texts to be made tokens of may have, or ids to be
	// made texts of. With MaxText's default they may be as long as text-embeddings-inference's bodies.
	tokensShare = 32
	// tokensTurns is how many requests with many bytes to be made tokens of, or texts, are answered at
	// a time, and tokensFew is how many bytes are few: those wait for nobody.
	tokensTurns = 4
	tokensFew   = 16 << 10
)

// takeTurn waits for the turn of a question that makes many tokens, or texts of many, which lasts
// until the function that it returns is called. That is when the reply is made, and not when the
// client has read it: who reads slowly keeps no turn from others.
func (h *Handler) takeTurn(ctx context.Context, q *question) (end func(), _ *failure) {
	if q.task < tokenizing || q.bytes() <= tokensFew {
		return func() {}, nil
	}
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, nil
	case <-ctx.Done():
		return nil, gone(ctx)
	}
}
