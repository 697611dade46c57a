package report

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// LeftOver is the last stage of a [Path]: what is in none of the others.
const LeftOver = "Left Over"

// Path is where the time of a batch goes, from when it was due to when its scores are
// there: stages that follow one another and, with what is left over, make up the latency.
type Path struct {
	Stages []PathStage `json:"stages"`
	// Residual is what is left over as a share of all latency, in percent, and WorstResidual
	// that of the batch where it is the most.
	Residual      float64 `json:"residual_percent"`
	WorstResidual float64 `json:"worst_residual_percent"`
}

// PathStage is one stage of it. The figures are over all batches, in ms.
type PathStage struct {
	Name  string        `json:"stage"`
	MS    stats.Summary `json:"ms"`
	Share float64       `json:"share_percent"` // of all latency
}

// pathStages are the stages of a path in their order.
var pathStages = [...]string{LateRow, "Admission", "Queue Wait", "Tokenization", "Packing", "Forward", "Copy Out", LeftOver}

// pathOf follows the batches; nil for those that do not tell how they were handled.
func pathOf(list []recording.BatchSample) *Path {
	if !handled(list) {
		return nil
	}
	var stages [len(pathStages)][]float64
	total := 0.0
	p := new(Path)
	for i := range list {
		b := &list[i]
		h := b.Handling
		for at, d := range [...]float64{
			milliseconds(b.Late), milliseconds(h.Admit), milliseconds(b.Queue - b.Late), milliseconds(b.Tokenize - b.Overlapped),
			milliseconds(h.Pack), milliseconds(b.Infer - h.Pack), milliseconds(h.Deliver), milliseconds(b.Residual()),
		} {
			stages[at] = append(stages[at], d)
		}
		total += milliseconds(b.Latency)
		p.WorstResidual = max(p.WorstResidual, 100*milliseconds(b.Residual())/milliseconds(b.Latency))
	}
	for i, name := range pathStages {
		s := PathStage{Name: name, MS: *stats.Summarize(stages[i])}
		s.Share = 100 * s.MS.Mean * float64(len(list)) / total
		p.Stages = append(p.Stages, s)
	}
	p.Residual = p.Stages[len(p.Stages)-1].Share
	return p
}

// handled says whether every batch tells how it was handled.
func handled(list []recording.BatchSample) bool {
	for i := range list {
		if list[i].Handling == nil {
			return false
		}
	}
	return len(list) > 0
}

// mostResidual is the share of latency, in percent, that may be in no stage before the
// report says that the stages explain too little.
const mostResidual = 3

func (p *Path) write(page *markdown.Page) {
	if p == nil {
		return
	}
	page.Para("#### Where the Time of a Batch Goes (ms)")
	var rows [][]string
	for _, s := range p.Stages {
		o := optionally(&s.MS)
		rows = append(rows, []string{s.Name, figure.Fixed(o.mean, 3), figure.Fixed(o.p50, 3), figure.Fixed(o.p95, 3), figure.Fixed(o.max, 3), figure.Fixed(&s.Share, 2)})
	}
	page.Table([]string{"Stage", "Average", "P50", "P95", "Max", "Share of Latency (%)"}, rows)
	page.Para("_In order, from when a batch was due: until the bench made the call, the way into the engine's queue, the wait there, its text made tokens before anything of it is computed, the first pass laid out for the device, the passes, and its scores handed to a caller who has to wake up. Averages sum up to that of the latency._")
	most := ""
	if p.Residual >= mostResidual {
		most = fmt.Sprintf(" **That is more than %d %%: the stages explain too little.**", mostResidual)
	}
	page.Para("_Left over, in no stage: %s %% of all latency, and of one batch %s %% at the most._%s", figure.Fixed(&p.Residual, 3), figure.Fixed(&p.WorstResidual, 3), most)
}

// mean is the average of a stage; nil: it is not told, as in a report that was not made here.
func (p *Path) mean(name string) *float64 {
	if p == nil {
		return nil
	}
	for _, s := range p.Stages {
		if s.Name == name {
			return &s.MS.Mean
		}
	}
	return nil
}
