package report

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
)

// Scenario is a configuration in the words of LoadGen, MLPerf's load generator.
type Scenario struct {
	Name   string   `json:"name"`
	Metric string   `json:"metric"` // what LoadGen judges it by
	Value  *float64 `json:"value"`  // in the unit that the metric names
}

// scenarioOf names the scenario of a configuration; nil: LoadGen has none like it.
func (f *Figures) scenarioOf() *Scenario {
	if f.Latency == nil || f.Throughput == nil {
		return nil
	}
	switch {
	case f.Loop == "open":
		return &Scenario{"Server", "P99 of latency (ms)", &f.Latency.P99}
	case f.Concurrency > 1:
		return nil
	case f.Batch >= f.Requested && f.Batch > 1:
		return &Scenario{"Offline", "throughput (pairs/s)", &f.Throughput.Average}
	case f.Batch == 1:
		return &Scenario{"SingleStream", "P90 of latency (ms)", &f.Latency.P90}
	}
	return &Scenario{"MultiStream", "P99 of latency (ms)", &f.Latency.P99}
}

func (s *Scenario) write(p *markdown.Page) {
	if s != nil {
		p.Para("**Scenario, in LoadGen's words:** %s, judged by %s: %s", s.Name, s.Metric, figure.Fixed(s.Value, 2))
	}
}

// writeOpen says of an open loop what makes its latencies credible.
func (f *Figures) writeOpen(p *markdown.Page) {
	if f.Open == nil {
		return
	}
	late := figure.NotMeasured
	if f.Late != nil {
		late = figure.Fixed(&f.Late.P99, 3)
	} else if f.Latency != nil {
		late = "0.000"
	}
	p.Para("**Client lateness, P99:** %s ms", late)
	if f.Open.Waited == 0 {
		p.Para("_Arrivals were fixed before the run by seed %d and the rate. Callers never ran out: there were %d._", f.Open.Seed, f.Concurrency)
		return
	}
	p.Para("**Callers ran out: latency is at least what is printed.** _%d batches found all %d callers busy and were sent late, so that the engine was never offered more than that at once. Arrivals were fixed before the run by seed %d and the rate._",
		f.Open.Waited, f.Concurrency, f.Open.Seed)
}

// doubts are what the run itself makes doubtful, for the page's warnings.
func (r *Report) doubts() (list []string) {
	if r.CutShort {
		list = append(list, "**Cut short:** the run was interrupted, and this is what was measured until then.")
	}
	for i := range r.Configs {
		if s := r.Configs[i].Served; s != nil && s.Missed > 0 {
			list = append(list, fmt.Sprintf("**Missed:** %d of %d batches of row %d (%.1f %%) brought no scores, and are in no figure of speed.", s.Missed, s.Offered, i+1, s.MissShare))
		}
		if f := &r.Configs[i]; f.Open != nil && f.Open.Waited > 0 && f.Latency != nil {
			list = append(list, fmt.Sprintf("**Callers ran out:** %d batches of row %d were sent late for it, and its latency is at least what is printed.", f.Open.Waited, i+1))
		}
	}
	return list
}
