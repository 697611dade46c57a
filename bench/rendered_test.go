package bench

import (
	"bytes"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/report"
)

// rendered is the markdown of a report.
func rendered(t testing.TB, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
