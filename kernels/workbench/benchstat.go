package workbench

import (
	"bufio"
	"fmt"
	"io"
)

// WriteBenchstat writes the report in Go's benchmark format, which benchstat
// reads (https://go.dev/design/14313-benchmark-format): a line for each repeat
// of each case, as they came.
func (p *Report) WriteBenchstat(w io.Writer) error {
	b := bufio.NewWriter(w)
	// benchstat knows of ns/op alone that less is better.
	for _, unit := range []string{"GFLOP/s", "GB/s", "%peak", "%roofline"} {
		fmt.Fprintf(b, "Unit %s better=higher\n", unit)
	}
	fmt.Fprintln(b)
	for repeat := range p.Count {
		for _, r := range p.Results {
			if repeat >= len(r.Samples) {
				continue
			}
			ns := r.Samples[repeat]
			rates := p.Rates(r, ns)
			fmt.Fprintf(b, "Benchmark%s-1\t%d\t%.2f ns/op\t%.3f GFLOP/s\t%.3f GB/s", r.Name(), r.Calls, ns, rates.FLOPS/1e9, rates.Bandwidth/1e9)
			if rates.Bound != "" {
				fmt.Fprintf(b, "\t%.2f %%peak\t%.2f %%roofline", 100*rates.PeakShare, 100*rates.RoofShare)
			}
			fmt.Fprintln(b)
		}
	}
	return b.Flush()
}
