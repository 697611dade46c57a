package report

import (
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// sweepColumns adds to the table of the results what is swept beyond the format's columns,
// behind them. The rows are the configurations.
func (r *Report) sweepColumns(titles []string, rows [][]string) ([]string, [][]string) {
	precision, length := r.swept()
	if precision {
		titles = append(titles, "Precision")
	}
	if length {
		titles = append(titles, "Length (tokens)")
	}
	for i := range rows {
		f := &r.Configs[i]
		if precision {
			rows[i] = append(rows[i], figure.OrNone(f.Precision))
		}
		if length {
			rows[i] = append(rows[i], count(int64(f.Length)))
		}
	}
	return titles, rows
}

// swept says whether there are several precisions or lengths.
func (r *Report) swept() (precision, length bool) {
	for _, f := range r.Configs {
		precision, length = precision || f.Precision != "", length || f.Length > 0
	}
	return precision, length
}

// writeVariants writes what each precision of a sweep is, beside its speed; none without.
func (r *Report) writeVariants(p *markdown.Page) {
	if len(r.Variants) == 0 {
		return
	}
	p.Para("## Precisions")
	p.Block()
	if r.Task == recording.TaskEmbed {
		r.writeEmbeddingVariants(p)
		return
	}
	var rows [][]string
	for i := range r.Variants {
		v := &r.Variants[i]
		row := []string{v.Precision, duration(v.ColdStart.Load), duration(v.ColdStart.FirstScore), figure.Fixed(figure.Scaled(v.Peak, 1e-9), 1)}
		a := v.Accuracy
		switch {
		case a == nil:
			row = append(row, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, "not run")
		default:
			passed := "passed"
			if !a.Passed {
				passed = "not passed, so not timed"
			}
			row = append(row, figure.Fixed(&a.MaxError, 6), figure.Fixed(&a.MeanError, 6), figure.Fixed(figure.Scaled(a.FlippedOrders, 100), 2), passed)
		}
		rows = append(rows, row)
	}
	p.Table([]string{"Precision", "Load (ms)", "First score (ms)", "Device peak (GFLOP/s)", "Max error", "Mean error", "Orders flipped (%)", "Accuracy gate"}, rows)
	p.Para("_Each was an engine of its own, measured one after the other. The sections below are of the first that passed its gate; errors are of the logits, %s pairs of them._", strconv.Itoa(r.variantPairs()))
}

// writeEmbeddingVariants is the table of writeVariants for embeddings.
func (r *Report) writeEmbeddingVariants(p *markdown.Page) {
	var rows [][]string
	for i := range r.Variants {
		v := &r.Variants[i]
		row := []string{v.Precision, duration(v.ColdStart.Load), duration(v.ColdStart.FirstScore), figure.Fixed(figure.Scaled(v.Peak, 1e-9), 1)}
		if a := v.Accuracy; a == nil || a.Embeddings == nil {
			row = append(row, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, "not run")
		} else {
			e, near, passed := a.Embeddings, figure.NotMeasured, "passed"
			if e.Neighbours != nil {
				near = figure.Fixed(figure.Scaled(&e.Neighbours.Overlap, 100), 2)
			}
			if !a.Passed {
				passed = "not passed, so not timed"
			}
			row = append(row, threeDigits(&e.MeanDistance), threeDigits(&e.WorstDistance), near, figure.Fixed(figure.Scaled(a.FlippedOrders, 100), 2), passed)
		}
		rows = append(rows, row)
	}
	p.Table([]string{"Precision", "Load (ms)", "First embedding (ms)", "Device peak (GFLOP/s)", "Mean distance", "Worst distance", "Nearest kept (%)", "Orders of neighbours swapped (%)", "Accuracy gate"}, rows)
	p.Para("_Each was an engine of its own, measured one after the other. The sections below are of the first that passed its gate. A distance is 1 - cosine to the float64 reference, of %s texts; the nearest are of more texts, beside float32._", strconv.Itoa(r.variantPairs()))
}

// variantPairs is how many pairs the gates compared, the fewest of them.
func (r *Report) variantPairs() (least int) {
	for _, v := range r.Variants {
		if v.Accuracy != nil && (least == 0 || v.Accuracy.Pairs < least) {
			least = v.Accuracy.Pairs
		}
	}
	return least
}
