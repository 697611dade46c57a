package report

import (
	"fmt"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/page"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// verdict is the one line of the page that is read if no other is: the speed with how sure it
// is, and whether the scores are right.
func (r *Report) verdict() string {
	if r.Withheld != "" {
		text := fmt.Sprintf("**No speed figures: %s.** A score that is wrong has no speed worth printing.", r.Withheld)
		if a := r.Accuracy; a != nil {
			text += " " + upperFirst(accuracyInWords(a)) + "."
		}
		return text
	}
	var said []string
	if f := r.fastest(); f != nil {
		said = append(said, fmt.Sprintf("**%s pairs/s** at %s: %s.", figure.Fixed(&f.Throughput.Average, 1), f.Config, f.tailInWords()))
	}
	if m := r.Mix; m != nil && m.Alone != nil && m.Beside != nil && m.BesideRatio != nil && m.BesideRatio.P50 != nil {
		said = append(said, fmt.Sprintf("**A small call takes %s times as long beside the bulk** (P50 %s ms, alone %s ms), and the bulk keeps %s of its tokens/s.",
			figure.Fixed(m.BesideRatio.P50, 2), figure.Fixed(&m.Beside.P50, 1), figure.Fixed(&m.Alone.P50, 1), percentOf(m.BulkBesideRatio)))
	}
	if o := r.Overload; o != nil && o.Offered > 0 {
		refusal := ""
		if o.Refusal != nil {
			refusal = fmt.Sprintf(" within %s ms (P99)", figure.Fixed(&o.Refusal.P99, 3))
		}
		said = append(said, fmt.Sprintf("**Of %d calls, %s were scored and %s refused**%s, at %v times what can be served.",
			o.Offered, percentOf(figure.Scaled(shareOf(o.Accepted, o.Offered), 0.01)), percentOf(figure.Scaled(shareOf(o.Refused, o.Offered), 0.01)), refusal, o.Factor))
	}
	if l := r.Load; l != nil && l.SLO != nil && len(l.Points) > 0 {
		said = append(said, fmt.Sprintf("**The load that holds within %s ms:** %s.", figure.Fixed(l.SLO, 0), l.verdict()))
	} else if l != nil && len(l.Points) > 0 {
		said = append(said, fmt.Sprintf("**%d loads were offered**, of which no bound on latency was asked.", len(l.Points)))
	}
	if a := r.Ablation; a != nil {
		said = append(said, a.verdict())
	}
	if len(said) == 0 {
		return "**Nothing was measured.**"
	}
	if r.Server.Embeds() {
		said = append(said, "A pair is a passage that was embedded, and its score a cosine, which is held to nothing.")
	} else if a := r.accuracyOfFastest(); a != nil {
		said = append(said, "The scores agree with the float64 reference: "+accuracyInWords(a)+".")
	} else {
		said = append(said, "Of the accuracy of its scores nothing is known here.")
	}
	return strings.Join(said, " ")
}

// accuracyOfFastest is that of the precision that the verdict is of; nil: not told.
func (r *Report) accuracyOfFastest() *recording.Accuracy {
	if f := r.fastest(); f != nil && f.Precision != "" {
		for i := range r.Variants {
			if v := &r.Variants[i]; v.Precision == f.Precision {
				return v.Accuracy
			}
		}
	}
	return r.Accuracy
}

// accuracyInWords is the error that swaps pairs, or that of all pairs where that is not told.
func accuracyInWords(a *recording.Accuracy) string {
	if a.Embeddings != nil {
		return embeddingsInWords(a)
	}
	if a.CentredError == nil {
		return fmt.Sprintf("mean error %s of the logits' deviation (%s allowed)", overSD(a, &a.MeanError), tolerance(a.Tolerance))
	}
	return fmt.Sprintf("centred error %s of the logits' deviation (%s allowed)", overSD(a, a.CentredError), tolerance(a.CentredTolerance))
}

func percentOf(share *float64) string { return figure.WithUnit(figure.Scaled(share, 100), 1, " %") }

// fastest is the configuration of the best throughput; nil: there is none.
func (r *Report) fastest() (best *Figures) {
	for i := range r.Configs {
		if f := &r.Configs[i]; f.Throughput != nil && f.Latency != nil && (best == nil || f.Throughput.Average > best.Throughput.Average) {
			best = f
		}
	}
	return best
}

// tailInWords says how long batches take, and how sure that is.
func (f *Figures) tailInWords() string {
	l := f.Latency
	text := fmt.Sprintf("half of the batches take up to %s ms, 95 %% up to %s ms", figure.Fixed(&l.P50, 1), figure.Fixed(&l.P95, 1))
	switch upper := f.upper(95); {
	case upper != nil:
		return text + fmt.Sprintf(" (in this run, with 95 %% confidence, no more than %s ms)", figure.Fixed(upper, 1))
	case len(f.Bounds) > 0:
		return text + fmt.Sprintf(" (%s %s too few to bound that)", figure.Count(l.N, "batch"), areOf(l.N))
	}
	return text
}

func p95(s *stats.Summary) *float64 {
	if s == nil {
		return nil
	}
	return &s.P95
}

// facts are the few numbers for which people come.
func (r *Report) facts() (list []page.Fact) {
	add := func(name string, v *float64, digits int, unit, note string) {
		if v != nil {
			list = append(list, page.Fact{Name: name, Value: figure.Fixed(v, digits), Unit: unit, Note: note})
		}
	}
	if f := r.fastest(); f != nil {
		of := f.Config.String()
		add("Throughput", &f.Throughput.Average, 1, "pairs/s", of)
		add("Latency P50", &f.Latency.P50, 1, "ms", "of a batch, "+of)
		note := "of a batch"
		if upper := f.upper(95); upper != nil {
			note = "at most " + figure.Fixed(upper, 1) + " ms, 95 % confidence"
		}
		add("Latency P95", &f.Latency.P95, 1, "ms", note)
		if w := f.Work; w != nil {
			note = ""
			if w.PeakShare != nil {
				note = figure.Fixed(figure.Scaled(w.PeakShare, 100), 1) + " % of the device's peak"
			}
			add("Arithmetic", figure.Scaled(w.FLOPsPerSecond, 1e-9), 1, "GFLOP/s", note)
		}
	}
	if m := r.Mix; m != nil {
		add("Small call beside the bulk, P95", p95(m.Beside), 1, "ms", "alone "+figure.WithUnit(p95(m.Alone), 1, " ms"))
	}
	if o := r.Overload; o != nil && r.Withheld == "" {
		add("Served in the flood", o.FloodRate, 1, "pairs/s", "without it "+figure.WithUnit(o.QueueRate, 1, " pairs/s"))
	}
	if l := r.Load; l != nil {
		if l.Knee != nil {
			note := ""
			if l.SLO != nil {
				note = "P95 within " + figure.Fixed(l.SLO, 0) + " ms"
			}
			add("Load that holds", &l.Knee.Rate, 1, "pairs/s", note)
			add("Goodput", &l.Knee.Good, 1, "pairs/s", "at that load")
		}
		add("Capacity", l.Capacity, 1, "pairs/s", fmt.Sprintf("%d callers in a closed loop", l.Callers))
	}
	if a := r.Ablation; a != nil {
		add("Throughput", &a.Full.Pairs, 1, "pairs/s", "the full run, "+a.Full.Said)
		if a.Whole != nil {
			add("Over the plain run", &a.Whole.Ratio, 2, "times", a.Plain.Said)
		}
	}
	if a := r.accuracyOfFastest(); a != nil {
		if e := a.Embeddings; e != nil {
			add("Distance to the reference", figure.Scaled(&e.MeanDistance, 1e6), 3, "millionths", fmt.Sprintf("1 - cosine, mean of %d texts; allowed %s", a.Pairs, figure.Fixed(figure.Scaled(&e.AllowedDistance, 1e6), 3)))
			if n := e.Neighbours; n != nil {
				add("Nearest neighbours kept", figure.Scaled(&n.Overlap, 100), 1, "%", fmt.Sprintf("of %d, among %d texts, beside %s", n.K, n.Texts, n.Reference))
			}
		}
		if r.Withheld != "" && a.CentredError != nil && a.LogitSD > 0 {
			over := *a.CentredError / a.LogitSD
			add("Centred error", &over, 3, "of the deviation", tolerance(a.CentredTolerance)+" allowed")
		}
		add("Pair orders flipped", figure.Scaled(a.FlippedOrders, 100), 2, "%", fmt.Sprintf("of %d pairs, against float64", a.Pairs))
	}
	if c := r.ColdStart; c != nil && r.Withheld == "" {
		first := milliseconds(c.Load + c.FirstScore)
		add("First score", &first, 1, "ms", "from opening the model")
	}
	return list
}

// warnings are what one must know before the figures are believed: the notes of the run, and
// what follows from the figures.
func (r *Report) warnings() (list []string) {
	for _, doubt := range r.doubts() {
		list = append(list, r.Words(doubt))
	}
	list = append(list, r.Notes...)
	if e := r.Environment; e != nil && e.Dirty {
		list = append(list, "**The program was built from a tree with changes** beside commit "+figure.OrNone(e.Commit)+".")
	}
	if n := len(r.Configs); n > 0 && r.Withheld == "" {
		list = append(list, "**One run:** what another run of the same program would give, this one cannot tell. `minilm-metal bench ab` can.")
	}
	return list
}
