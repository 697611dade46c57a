package serve

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// What is wrong with the device or the model is said at the log's usual level, also where its
// status is 424, and is not taken for a text's fault.
func TestFaultsOfOursAreLogged(t *testing.T) {
	var log bytes.Buffer
	h := handler(t, Logger(slog.New(slog.NewTextHandler(&log, nil))))
	request := goldenRequest{Method: "POST", Path: "/rerank"}
	for _, c := range []struct {
		err     error
		status  int
		message string
		logged  bool
	}{
		{engine.ErrHardware, 424, "the device failed", true},
		{engine.ErrModel, 424, "the model's weights can no longer be read", true},
		{&engine.PairError{Index: 3, Err: engine.ErrModel}, 424, "the model's output for text 3 is not a number", true},
		{errors.New("a fault"), 500, "an internal error, which the server's log describes", true},
		{engine.ErrClosed, 503, "the server is about to end", false},
		{&engine.OverloadError{Calls: 1, Pairs: 2}, 429, "the server is overloaded: 2 texts of 1 requests wait, the limit of --max-queue", false},
		{&engine.TextError{Index: 1, Err: &engine.TooLongError{Tokens: 9, Limit: 8}}, 422, "text 1 has 9 tokens, and must have at most 8", false},
	} {
		log.Reset()
		f := whyNot(t.Context(), c.err)
		r := teiFailure(f)
		if r.status != c.status || !strings.HasPrefix(f.message, c.message) {
			t.Errorf("%v: %d %s, want %d %s", c.err, r.status, f.message, c.status, c.message)
		}
		h.ended(&exchange{h: h, r: request.http(), facts: facts{failure: f, status: r.status}})
		if is := strings.Contains(log.String(), "level=WARN"); is != c.logged {
			t.Errorf("%v: logged %v: %s", c.err, is, &log)
		}
	}
}
