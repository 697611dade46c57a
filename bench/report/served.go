package report

import (
	"fmt"
	"maps"
	"slices"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// ServedFigures is what became of the batches that were offered to a server, and what went
// over the wire. Latency and throughput are only of those that brought scores.
type ServedFigures struct {
	Offered   int            `json:"offered"`         // batches
	Missed    int            `json:"missed"`          // of them, without scores
	MissShare float64        `json:"missed_percent"`  // of the batches
	Misses    map[string]int `json:"misses"`          // by kind; null: none
	Requests  int64          `json:"requests"`        // of HTTP, misses included, as are the bytes
	Sent      int64          `json:"sent_bytes"`      // of bodies
	Received  int64          `json:"received_bytes"`  // of bodies
	Opened    int64          `json:"connections"`     // in the run, or tried
	MeanSent  *float64       `json:"mean_sent_bytes"` // of a request
}

// servedFigures are those of a run; nil: of an engine's.
func servedFigures(run *recording.Run) *ServedFigures {
	s := run.Served
	if s == nil {
		return nil
	}
	f := &ServedFigures{Offered: len(run.Batches) + len(s.Missed), Missed: len(s.Missed), Requests: s.Requests, Sent: s.Sent, Received: s.Received, Opened: s.Connections}
	for _, m := range s.Missed {
		if f.Misses == nil {
			f.Misses = map[string]int{}
		}
		f.Misses[m.Reason]++
	}
	if f.Offered > 0 {
		f.MissShare = 100 * float64(f.Missed) / float64(f.Offered)
	}
	if s.Requests > 0 {
		f.MeanSent = new(float64(s.Sent) / float64(s.Requests))
	}
	return f
}

// untold takes from a server's run what it does not tell, so that no 0 stands for it.
func (f *Figures) untold() {
	f.Tokenize, f.Overlapped, f.Queue, f.Infer, f.Unaccounted = nil, nil, nil, nil, nil
	if f.Samples != nil {
		f.Samples.Tokenize, f.Samples.Overlapped, f.Samples.Queue, f.Samples.Infer = nil, nil, nil, nil
	}
	for i := range f.Dashboard.Rows {
		row := &f.Dashboard.Rows[i]
		row.Tokenize, row.Queue, row.Infer, row.PaddingActual = nil, nil, nil, nil
	}
	f.Dashboard.Metrics = DashboardMetrics(f.Dashboard.Rows)
}

// writeServer says which server was measured.
func (r *Report) writeServer(p *markdown.Page) {
	s := r.Server
	if s == nil {
		return
	}
	how := "as named"
	if s.Probed {
		how = "found by probing"
	}
	p.Para("**Server:** `%s%s` | **Dialect:** `%s` (%s)", s.URL, s.Path, s.Dialect, how)
	line := ""
	for _, of := range []struct{ name, value string }{{"Its model", s.Model}, {"Version", s.Version}, {"Weights", s.DType}} {
		if of.value != "" {
			line += fmt.Sprintf(" | **%s:** `%s`", of.name, of.value)
		}
	}
	scale := s.Scale
	switch scale {
	case "":
		scale = figure.NotMeasured
	case recording.ScaleSigmoid:
		scale += " (compared with the reference as logits)"
	case recording.ScaleCosine:
		scale += " of the embeddings of query and passage"
	}
	p.Para("**Its scores:** %s", scale+line)
}

// write says what was missed, and what went over the wire.
func (f *ServedFigures) write(p *markdown.Page) {
	if f == nil {
		return
	}
	p.Para("**Missed:** %d of %s (%.1f %%)", f.Missed, figure.Count(f.Offered, "batch"), f.MissShare)
	for _, kind := range slices.Sorted(maps.Keys(f.Misses)) {
		p.Para("**Missed:** %d with %q", f.Misses[kind], kind)
	}
	p.Para("**Wire:** %s over %s, %d bytes of JSON sent (%s bytes a request) and %d received", figure.Count(int(f.Requests), "request"), figure.Count(int(f.Opened), "new connection"), f.Sent, figure.Fixed(f.MeanSent, 0), f.Received)
	if f.Missed > 0 {
		p.Para("_Misses are in no latency and no throughput: pairs, tokens and time are of the batches that brought scores. The wire is of all._")
	}
}
