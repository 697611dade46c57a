package peers

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
)

// foreign is a run of another machine.
type foreign struct {
	library, precision, how string
	pairs, p50, p95         float64
}

func (f *foreign) row() []string {
	return []string{f.library, f.precision, fmt.Sprintf("%.0f", f.pairs), figure.NotMeasured, figure.NotMeasured,
		fmt.Sprintf("%.1f, %.1f", f.p50, f.p95), "batch of 32", figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, "2025-12-26"}
}

// seedRun is the run that this project set out to beat, as its report has it: another
// machine, so that no ratio to it means anything.
var seedRun = foreign{
	library:   "PyTorch, the seed's own run",
	precision: "float16",
	how:       "report 01_backend_pytorch of 2025-12-26, cross-encoder/ms-marco-MiniLM-L-6-v2, batches of 32, padded, on the GPU of an Apple machine (mps): another machine and other text, so it has no ratio",
	pairs:     457.1, p50: 68.20, p95: 139.39,
}
