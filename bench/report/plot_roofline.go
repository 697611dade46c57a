package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
)

const rooflineID = "plot-roofline"

// spot is a kernel in the roofline.
type spot struct {
	KernelFigures
	at plot.Point // FLOP/byte, GFLOP/s of a worker
}

func (k *KernelFigures) name() string {
	return strings.TrimSpace(k.Kernel + " " + k.Shape)
}

// staged is the configuration whose kernels are drawn: the fastest that has any.
func (r *Report) staged() (best *Figures, at int) {
	for i := range r.Configs {
		f := &r.Configs[i]
		if f.Stages != nil && (best == nil || f.Throughput != nil && best.Throughput != nil && f.Throughput.Average > best.Throughput.Average) {
			best, at = f, i
		}
	}
	return best, at
}

// spots are the kernels of which both rates are known, what takes most time first.
func (s *StageFigures) spots() (list []spot) {
	for _, k := range s.Kernels {
		if k.FLOPsPerSecond != nil && k.BytesPerSecond != nil && *k.FLOPsPerSecond > 0 && *k.BytesPerSecond > 0 {
			list = append(list, spot{k, plot.Point{X: *k.FLOPsPerSecond / *k.BytesPerSecond, Y: *k.FLOPsPerSecond * 1e-9}})
		}
	}
	slices.SortStableFunc(list, func(a, b spot) int { return cmp.Compare(b.MS, a.MS) })
	return list
}

// ofWorker is a worker's part of the device's peak in GFLOP/s; nil: it was not measured.
func (r *Report) ofWorker(f *Figures) *float64 {
	peak := r.Peak
	for i := range r.Variants {
		if f.Precision == r.Variants[i].Precision {
			peak = r.Variants[i].Peak
		}
	}
	if peak == nil {
		return nil
	}
	return figure.Scaled(peak, 1e-9/float64(max(1, f.Stages.Workers)))
}

func (r *Report) rooflinePlot() plot.Plot {
	p := plot.Plot{ID: rooflineID, Title: "Roofline", Question: "Which kernel is far from what the processor can do? GFLOP/s of one worker against the work that a byte is read for, both logarithmic."}
	f, row := r.staged()
	if f == nil {
		p.Missing = cmp.Or(r.withheldPlot(), "the kernels were not timed; --stages does it.")
		return p
	}
	list, peak := f.Stages.spots(), r.ofWorker(f)
	if len(list) == 0 {
		p.Missing = "no kernel has both its FLOPs and its bytes counted."
		return p
	}
	left, right, lo, hi := math.Inf(1), 0.0, math.Inf(1), 0.0
	p.Table.Titles = []string{"Kernel", "FLOP/byte", "GFLOP/s", "GB/s", "Of peak (%)", "Time a batch (ms)"}
	for i, s := range list {
		left, right, lo, hi = min(left, s.at.X), max(right, s.at.X), min(lo, s.at.Y), max(hi, s.at.Y)
		p.Legend = append(p.Legend, plot.Entry{Style: plot.Style(i), Name: s.name(), Mark: true, Row: rowID(row)})
		p.Table.Rows = append(p.Table.Rows, []string{s.Block + ": " + s.name(), figure.Fixed(&s.at.X, 2), figure.Fixed(&s.at.Y, 2), figure.Fixed(figure.Scaled(s.BytesPerSecond, 1e-9), 2),
			figure.Fixed(figure.Scaled(s.PeakShare, 100), 1), figure.Fixed(&s.MS, 3)})
	}
	most := list[0]
	p.Finding = fmt.Sprintf("At %s, %s takes most time, %s ms a batch, at %s GFLOP/s", f.Config, most.name(), figure.Fixed(&most.MS, 2), figure.Fixed(&most.at.Y, 1))
	if most.PeakShare != nil {
		p.Finding += ", " + percentOf(most.PeakShare) + " of the peak"
	}
	p.Finding += "."
	if peak != nil {
		hi = max(hi, *peak)
	} else {
		p.Finding += " The peak was not measured."
	}
	p.Finding += " Slanted lines are bytes a second that would be needed; how many the memory gives, the recording does not tell."
	p.Draw = func(c *plot.Canvas) {
		panel := c.Panel(plot.Log("FLOP/byte", left/1.5, right*1.5), plot.Log("GFLOP/s of one worker", lo/1.5, hi*1.15), plot.Ground{Height: 270})
		for rate := math.Pow(10, math.Floor(math.Log10(lo/right))); rate > 0 && rate < hi/left*10; rate *= 10 {
			panel.Slope(rate, plot.Short(rate)+" GB/s")
		}
		if peak != nil {
			panel.Across(*peak, fmt.Sprintf("peak of one worker, %s GFLOP/s", figure.Fixed(peak, 1)))
		}
		for i, s := range list {
			panel.Marker(s.at, plot.Style(i), fmt.Sprintf("%s, %s: %s GFLOP/s at %s FLOP/byte, %s ms a batch", s.Block, s.name(), figure.Fixed(&s.at.Y, 2), figure.Fixed(&s.at.X, 2), figure.Fixed(&s.MS, 3)))
		}
	}
	return p
}
