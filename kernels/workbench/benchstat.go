package workbench

import (
	"bufio"
	"fmt"
	"io"
)

// WriteBenchstat writes the report in Go's benchmark format, which benchstat reads
// (https://go.dev/design/14313-benchmark-format): a line for each repeat of each case, in
// the order measured.
func (p *Report) WriteBenchstat(w io.Writer) error {
	b := bufio.NewWriter(w)
	// Only for ns/op does benchstat know that less is better.
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
			figure := func(x float64, format string) {
				if x != 0 { // 0 means that it is not counted or not known
					fmt.Fprintf(b, "\t"+format, x)
				}
			}
			fmt.Fprintf(b, "Benchmark%s-1\t%d", r.Name(), r.Calls)
			figure(ns, "%.2f ns/op")
			figure(rates.FLOPS/1e9, "%.4g GFLOP/s")
			figure(rates.Bandwidth/1e9, "%.4g GB/s")
			figure(100*rates.PeakShare, "%.4g %%peak")
			figure(100*rates.RoofShare, "%.4g %%roofline")
			fmt.Fprintln(b)
		}
	}
	return b.Flush()
}
