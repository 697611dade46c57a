package bench

import "io"

// WriteSummary writes the beginning of WriteMarkdown, as far as the results, and the scenario:
// what a terminal shows at the end of a run.
func (r *Report) WriteSummary(w io.Writer) error {
	p := newPage(w)
	r.writeHead(p)
	r.writeResults(p)
	r.Mix.write(p)
	r.Overload.write(p)
	return p.w.Flush()
}
