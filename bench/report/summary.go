package report

import (
	"io"

	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
)

// WriteSummary writes the beginning of WriteMarkdown, as far as the results, the scenario
// and the judged pairs: what a terminal shows at the end of a run.
func (r *Report) WriteSummary(w io.Writer) error {
	p := markdown.NewPage(w)
	p.Words = r.Words
	r.writeHead(p)
	r.writeResults(p)
	r.Mix.write(p)
	r.Overload.write(p)
	r.Load.write(p)
	r.Ablation.write(p)
	r.Judged.write(p)
	return p.Flush()
}
