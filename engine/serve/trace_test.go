package serve

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTraceOf(t *testing.T) {
	const trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	good := "00-" + trace + "-" + span + "-01"
	for header, want := range map[string]traced{
		good:                               {trace, span},
		"cc" + good[2:] + "-more":          {trace, span}, // a later version may have more
		"cc" + good[2:]:                    {trace, span},
		good + "-more":                     {},
		"cc" + good[2:] + "more":           {},
		"ff" + good[2:]:                    {},
		"":                                 {},
		good[:54]:                          {},
		strings.ToUpper(good):              {},
		strings.Repeat("a", 55):            {},
		"00-" + trace + "_" + span + "-01": {},
		"00-" + strings.Repeat("0", 32) + "-" + span + "-01":  {},
		"00-" + trace + "-" + strings.Repeat("0", 16) + "-01": {},
		"00-" + trace + "-" + span[:15] + "g-01":              {},
	} {
		if got := traceOf(header); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

// A request's trace is in the log, so that its lines are found; what is no trace is not.
func TestTraceIsLogged(t *testing.T) {
	var log bytes.Buffer
	h, _ := open(t, scoring, Logger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	for _, c := range []struct{ header, want string }{
		{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 parent_span_id=00f067aa0ba902b7"},
		{"00-canary canary canary canary can-00f067aa0ba902b7-01", ""},
	} {
		log.Reset()
		r := httptest.NewRequest("POST", "/rerank", strings.NewReader(teiBody))
		r.Header.Set("Traceparent", c.header)
		if w := serveOne(h, r); w.Code != 200 || log.Len() == 0 {
			t.Fatal(w.Code, &log)
		}
		if !strings.Contains(log.String(), c.want) || strings.Contains(log.String(), "canary") || c.want == "" && strings.Contains(log.String(), "trace_id") {
			t.Errorf("%s: %s", c.header, &log)
		}
	}
}
