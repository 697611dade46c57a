package peers

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// inputs are the kinds of input, in words.
var inputs = map[string]string{"ids": "token ids, which ours made for it", "text": "text, and tokenizes it"}

// WriteMarkdown writes the table, and what must be known of it.
func WriteMarkdown(w io.Writer, r *Recording) error {
	p := markdown.NewPage(w)
	embeds := r.Task == recording.TaskEmbed
	p.Words = (&report.Report{Task: r.Task}).Words
	p.Para("# Beside the engines of others")
	e := &r.Environment
	p.Para("%s, %s, cores %d, threads of each %d, %s. %d pairs of %s, %.1f tokens in the mean; the same weights, %s.",
		r.Started.Format(time.DateOnly), e.CPU, e.Cores, r.Threads, e.OS, r.Pairs, r.Dataset.Name,
		float64(r.Dataset.Tokens)/float64(max(1, r.Dataset.Pairs)), r.Model.ID+hash(r.Model.WeightsSHA256))
	rounds := 0
	for _, entry := range r.Entries {
		rounds = max(rounds, len(entry.Turns))
	}
	p.Para("Each has a process of its own, kept warm, and all take turns in random order: %d rounds of all pairs each (seed %d)%s. Pairs/s and ratios are medians of rounds, with the bootstrap interval of 95 %% where there are %d rounds. First score is from the start of the process.",
		rounds, r.Seed, load(r.Loads), stats.FewestForMedian)
	if r.CutShort != "" {
		p.Para("**Cut short:** %s; %d rounds were planned.", r.CutShort, r.Planned)
	}
	p.Block()
	all := Derive(r)
	errors := []string{"Mean error", "Orders swapped"}
	if embeds {
		errors = []string{"1 - cosine, mean", "Worst", "Nearest kept", "Orders swapped"}
	}
	titles := slices.Concat([]string{"Engine", "Precision", "Pairs/s", "Ours/theirs, same precision", "Our best/theirs", "P50, P95 (ms)", "Latency of a", "First score (s)", "Peak memory (MB)"}, errors, []string{"Version"})
	table := rows(all, errorCells[embeds], len(errors))
	if !embeds { // which the seed had none of
		table = append(table, seedRun.row())
	}
	p.AlignedTable(titles, table)
	if embeds {
		writeEmbeddingsNote(p, all)
	} else {
		p.Para(scoresNote)
	}
	p.Block()
	for _, f := range all {
		name := f.Library + ", " + precisionName(f.Precision)
		if f.Failure != "" {
			p.Line("- %s: **no figure**: %s.", name, strings.TrimSuffix(f.Failure, "."))
			continue
		}
		made := ""
		if f.PrepareSeconds != nil {
			made = fmt.Sprintf("; its files took %.1f s to make or to find, in no figure", *f.PrepareSeconds)
		}
		p.Line("- %s: takes %s; %s%s.", name, inputs[f.Input], f.How, made)
	}
	if !embeds {
		p.Line("- %s: %s.", seedRun.library, seedRun.how)
	}
	return p.Flush()
}

// scoresNote says how wrong scores may be.
const scoresNote = "Mean error is |error| of the logits against our float64 reference, over their standard deviation. Scores that fail the limits that ours are held to have no figure of speed; bfloat16 and int8 pass, too, if they swap at most 3 and 6 %% of the orders."

// writeEmbeddingsNote says how wrong embeddings may be, and what the columns of it are.
func writeEmbeddingsNote(p *markdown.Page, all []Figures) {
	texts, k := 0, 0
	for _, f := range all {
		if f.Accuracy != nil {
			texts, k = f.Accuracy.Pairs, f.Accuracy.TopK
		}
	}
	p.Para("1 - cosine is of the embeddings of %d texts with our float64 reference's. Nearest kept is the share of each text's %d nearest of these that the reference has, too, and orders swapped are those of any two neighbours of a text. Embeddings that fail the limits that ours are held to have no figure of speed; bfloat16 and int8 pass, too, if they swap at most 3 and 6 %% of the orders.", texts, k)
}

// errorCells are the cells about how wrong an engine is, of embeddings and of scores.
var errorCells = map[bool]func(*recording.Accuracy) []string{
	false: func(a *recording.Accuracy) []string {
		if a.LogitSD == 0 {
			return nil
		}
		return []string{fmt.Sprintf("%.2g", a.MeanError/a.LogitSD), swapped(a)}
	},
	true: func(a *recording.Accuracy) []string {
		e := a.Embeddings
		if e == nil {
			return nil
		}
		return []string{fmt.Sprintf("%.2g", e.MeanDistance), fmt.Sprintf("%.2g", e.WorstDistance), fmt.Sprintf("%.1f %%", 100*a.TopKAgreement), swapped(a)}
	},
}

func swapped(a *recording.Accuracy) string {
	if a.FlippedOrders == nil {
		return figure.NotMeasured
	}
	return fmt.Sprintf("%.2f %%", 100**a.FlippedOrders)
}

// rows are those of the table; wrong makes the cells of which there are so many.
func rows(all []Figures, wrong func(*recording.Accuracy) []string, many int) (out [][]string) {
	for _, f := range all {
		row := []string{f.Library, precisionName(f.Precision), f.PairsPerSecond.text(rateFormat(f.PairsPerSecond)), f.Same.text("%.2f"), f.Best.text("%.2f"),
			figure.NotMeasured, f.Unit, figure.Fixed(f.FirstScore, 2), figure.Fixed(f.PeakMB, 0)}
		if f.P50 != nil {
			row[5] = figure.Fixed(f.P50, 1) + ", " + figure.Fixed(f.P95, 1)
		}
		var cells []string
		if f.Accuracy != nil {
			cells = wrong(f.Accuracy)
		}
		if cells == nil {
			cells = slices.Repeat([]string{figure.NotMeasured}, many)
		}
		if f.Failure != "" {
			row[2] = "no figure, see below"
		}
		out = append(out, append(append(row, cells...), versions(f.Versions)))
	}
	return out
}

// rateFormat keeps two digits of a rate of pairs: ratios are of unrounded ones.
func rateFormat(i *Interval) string {
	if i != nil && i.Median < 10 {
		return "%.1f"
	}
	return "%.0f"
}

// text writes a median and its interval.
func (i *Interval) text(format string) string {
	if i == nil {
		return figure.NotMeasured
	}
	text := fmt.Sprintf(format, i.Median)
	if i.Low != nil {
		text += fmt.Sprintf(" ("+format+" to "+format+")", *i.Low, *i.High)
	}
	return text
}

func versions(v map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		parts = append(parts, name+" "+v[name])
	}
	return cmp.Or(strings.Join(parts, ", "), figure.NotMeasured)
}

func hash(sum string) string {
	if sum == "" {
		return ""
	}
	return " (sha256 " + sum[:min(12, len(sum))] + ")"
}

func load(loads []float64) string {
	if len(loads) == 0 {
		return ""
	}
	return fmt.Sprintf("; load average %.1f to %.1f", slices.Min(loads), slices.Max(loads))
}

// WriteJSON writes the recording and, beside it, what follows from it.
func WriteJSON(w io.Writer, r *Recording) error {
	return file.WriteJSON(w, struct {
		Figures   []Figures  `json:"figures"`
		Recording *Recording `json:"recording"`
	}{Derive(r), r})
}

// WriteMarkdownFile writes the table into the folder dir.
func WriteMarkdownFile(dir string, r *Recording) error {
	err := file.Write(filepath.Join(dir, MarkdownFile), func(w io.Writer) error { return WriteMarkdown(w, r) })
	if err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	return nil
}
