package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/bench/internal/page"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// mostCarried is how many bytes of a recording its page carries at most: with the third more
// that a link makes of them, and all else, the page stays below 1 MB.
const mostCarried = 500_000

// mostRows of the dashboard are on a page.
const mostRows = 500

// WriteHTML writes report.html: one file that fetches nothing and runs nothing. Its verdict
// is first, then the configurations, the plots, and every section of WriteMarkdown.
func (r *Report) WriteHTML(w io.Writer) error {
	p, err := r.page()
	if err != nil {
		return err
	}
	return p.Write(w)
}

func (r *Report) page() (*page.Page, error) {
	var text bytes.Buffer
	if err := r.WriteMarkdown(&text); err != nil {
		return nil, err
	}
	head, sections := page.Sections(text.String())
	p := &page.Page{Title: "bench", Description: r.Description, Bad: r.Withheld != "",
		Open: r.Load != nil && r.Load.SLO != nil && r.Load.Knee == nil, Verdict: r.verdict(),
		Warnings: r.warnings(), Facts: r.facts(), About: r.about(), Plots: r.plots(), Heading: "Configurations", Table: r.configTable(), Foot: foot}
	r.reword(p)
	if len(head) > 0 && head[0].Heading != "" {
		p.Title = head[0].Heading
	}
	for _, s := range sections {
		switch s.Title {
		case "Results Summary": // the page has a table of its own, with the same notes
			for _, g := range s.Groups {
				for _, b := range g.Blocks {
					if b.Note {
						p.TableNotes = append(p.TableNotes, b.Text)
					}
				}
			}
			continue
		case "Notes": // they are the warnings
			continue
		case "Detailed Metrics":
			if len(s.Parts) == 0 {
				continue
			}
			for i := range s.Parts {
				s.Parts[i].Folded = len(s.Parts) > 1
			}
		case "Dashboard Metrics Summary", "Dashboard Time-Series Data":
			s.Folded = true
			if n := s.Rows(); n > mostRows {
				s.Parts = nil
				s.Groups = []page.Group{{Blocks: []page.Block{{Text: fmt.Sprintf("%d rows are too many for a page. %s and %s have them.", n, MarkdownFile, JSONFile)}}}}
			}
		}
		p.Sections = append(p.Sections, s)
	}
	if slices.ContainsFunc(r.Configs, func(f Figures) bool { return f.Concurrency > 1 && f.Throughput != nil }) {
		p.TableNotes = append(p.TableNotes, r.Words("TP P95 is of single batches, each one's pairs over its own latency, also where several are under way at once."))
	}
	return p, r.carry(p)
}

// reword says in the words of the report's task what the page says beside its sections, which
// are read from the markdown; and not what it was given: the description and the notes.
func (r *Report) reword(p *page.Page) {
	p.Verdict = r.Words(p.Verdict)
	for i := range p.Facts {
		f := &p.Facts[i]
		f.Name, f.Unit, f.Note = r.Words(f.Name), r.Words(f.Unit), r.Words(f.Note)
	}
	for i := range p.Table.Titles {
		p.Table.Titles[i].Text = r.Words(p.Table.Titles[i].Text)
	}
	for i := range p.Plots {
		of := &p.Plots[i]
		of.Words = r.Words
		of.Title, of.Question, of.Finding, of.Missing = r.Words(of.Title), r.Words(of.Question), r.Words(of.Finding), r.Words(of.Missing)
		for k := range of.Legend {
			of.Legend[k].Name = r.Words(of.Legend[k].Name)
		}
		for k := range of.Table.Titles {
			of.Table.Titles[k] = r.Words(of.Table.Titles[k])
		}
		for _, row := range of.Table.Rows {
			row[0] = r.Words(row[0])
		}
	}
	p.Foot = slices.Clone(p.Foot)
	for i := range p.Foot {
		p.Foot[i] = r.Words(p.Foot[i])
	}
}

// carry puts the recording into the page, byte for byte as the file of it is.
func (r *Report) carry(p *page.Page) error {
	if r.recording == nil {
		return nil
	}
	var data bytes.Buffer
	if err := file.WriteJSON(&data, r.recording); err != nil {
		return err
	}
	if data.Len() > mostCarried {
		p.Absent = fmt.Sprintf("%s has %s, too much for a page to carry: it lies beside this one.", recording.File, page.Size(data.Len()))
		return nil
	}
	p.Files = []page.File{{Name: recording.File, Type: "application/json", Data: data.Bytes()}}
	return nil
}

// foot says how to read the page.
var foot = []string{
	"Latency is of a batch, from its start (in an open loop: its intended start) to its scores. The average throughput is all pairs over all time; percentiles interpolate between the order statistics, as numpy's do.",
	"An upper bound of a percentile is a one-sided 95 % confidence bound by order statistics, which takes the batches for independent. It is of this run alone: another run of the same program differs by more.",
	"This page is made of its recording alone. It fetches nothing and runs nothing.",
}

// plots are all plots, in the order of the page; what there is nothing to draw of says so.
func (r *Report) plots() []plot.Plot {
	return []plot.Plot{
		r.tailPlot(), r.timePlot(), r.machinePlot(), r.stagePlot(), r.loadPlot(), r.goodputPlot(), r.roundsPlot(), r.rooflinePlot(), r.lengthsPlot(),
	}
}

// withheld is why a plot of speeds is left out where there are none; "": they stand.
func (r *Report) withheldPlot() string {
	if r.Withheld == "" {
		return ""
	}
	return "no speed figures, because: " + r.Withheld + "."
}

// rowID is the id of a configuration's row.
func rowID(i int) string { return "row-" + strconv.Itoa(i+1) }

// configLegend has the configurations of which has is true.
func (r *Report) configLegend(line, mark bool, has func(*Figures) bool) (list []plot.Entry) {
	for i := range r.Configs {
		if has(&r.Configs[i]) {
			list = append(list, plot.Entry{Style: plot.Style(i), Name: r.Configs[i].Config.String(), Row: rowID(i), Line: line, Mark: mark})
		}
	}
	return list
}

// configTable is the results summary with its units, and where each figure is drawn.
func (r *Report) configTable() page.Table {
	drawn := map[string]bool{}
	for _, p := range r.plots() {
		drawn[p.ID] = p.Missing == ""
	}
	title := func(text, to string) page.Cell {
		if !drawn[to] {
			to = ""
		}
		name, unit, _ := strings.Cut(text, " (")
		text = strings.ReplaceAll(name, " ", "\u00a0") // a title breaks before its unit alone
		if unit != "" {
			text += " (" + unit
		}
		return page.Cell{Text: text, To: to}
	}
	// A column, the plot that shows it, and its cell; one that says the same in every row of
	// most reports is there where it does not.
	type column struct {
		title, plot string
		cell        func(i int, f *Figures, latency, perBatch optional, average *float64) string
	}
	columns := []column{
		{"Row", "", func(i int, _ *Figures, _, _ optional, _ *float64) string { return strconv.Itoa(i + 1) }},
		{"Batch", "", func(_ int, f *Figures, _, _ optional, _ *float64) string { return strconv.Itoa(f.Batch) }},
		{"Conc", "", func(_ int, f *Figures, _, _ optional, _ *float64) string { return strconv.Itoa(f.Concurrency) }},
		{"Precision", "", func(_ int, f *Figures, _, _ optional, _ *float64) string { return cmp.Or(f.Precision, r.Precision) }},
		{"Length (tokens)", lengthsID, func(_ int, f *Figures, _, _ optional, _ *float64) string { return count(int64(f.Length)) }},
		{"Offered (pairs/s)", loadID, func(_ int, f *Figures, _, _ optional, _ *float64) string { return f.offeredCell() }},
		{"Pairs", "", func(_ int, f *Figures, _, _ optional, _ *float64) string { return strconv.Itoa(f.Pairs) }},
		{"Time (s)", timeID, func(_ int, f *Figures, _, _ optional, _ *float64) string { return figure.Fixed(f.Seconds, 2) }},
		{"Lat Avg (ms)", stageID, func(_ int, _ *Figures, l, _ optional, _ *float64) string { return figure.Fixed(l.mean, 1) }},
		{"Lat P50 (ms)", tailID, func(_ int, _ *Figures, l, _ optional, _ *float64) string { return figure.Fixed(l.p50, 1) }},
		{"Lat P95 (ms)", tailID, func(_ int, _ *Figures, l, _ optional, _ *float64) string { return figure.Fixed(l.p95, 1) }},
		{"at most", tailID, func(_ int, f *Figures, _, _ optional, _ *float64) string { return figure.Fixed(f.upper(95), 1) }},
		{"Lat P99 (ms)", tailID, func(_ int, _ *Figures, l, _ optional, _ *float64) string { return figure.Fixed(l.p99, 1) }},
		{"TP Avg (pairs/s)", machineID, func(_ int, _ *Figures, _, _ optional, average *float64) string { return figure.Fixed(average, 1) }},
		{"TP P95 (pairs/s)", "", func(_ int, _ *Figures, _, b optional, _ *float64) string { return figure.Fixed(b.p95, 1) }},
	}
	precision, length := r.swept()
	swept := map[string]bool{"Offered (pairs/s)": r.offered(), "Precision": precision, "Length (tokens)": length}
	columns = slices.DeleteFunc(columns, func(c column) bool { is, may := swept[c.title]; return may && !is })
	var t page.Table
	for _, c := range columns {
		t.Titles = append(t.Titles, title(c.title, c.plot))
	}
	t.Titles = append(t.Titles, page.Cell{Text: "Drawn"})
	for i := range r.Configs {
		f := &r.Configs[i]
		latency, perBatch, average := f.figuresOrNone()
		row := page.Row{ID: rowID(i)}
		for _, c := range columns {
			row.Cells = append(row.Cells, page.Cell{Text: c.cell(i, f, latency, perBatch, average)})
		}
		to := page.Cell{Text: "nowhere"}
		for _, id := range []string{tailID, timeID, machineID, lengthsID} {
			if to.To == "" && drawn[id] {
				to = page.Cell{Text: "in the plots", To: id}
			}
		}
		row.Cells = append(row.Cells, to)
		t.Rows = append(t.Rows, row)
	}
	return t
}

// offeredCell is what an open loop offers.
func (f *Figures) offeredCell() string {
	if f.Loop != "open" {
		return "closed loop"
	}
	return strconv.FormatFloat(f.Rate, 'f', -1, 64)
}

// upper is the confidence bound of a percentile; nil: there is none.
func (f *Figures) upper(percentile int) *float64 {
	for _, b := range f.Bounds {
		if b.Percentile == percentile {
			return b.Upper
		}
	}
	return nil
}

// about says what was measured, on what.
func (r *Report) about() (list []string) {
	add := func(format, s string) {
		if s != "" {
			list = append(list, fmt.Sprintf(format, s))
		}
	}
	add("`%s`", strings.ReplaceAll(r.Model.ID, "`", ""))
	add("%s", strings.Join(slices.DeleteFunc([]string{r.Backend, r.Device, r.Precision}, func(s string) bool { return s == "" }), ", "))
	if e := r.Environment; e != nil {
		add("%s", e.CPU)
		if e.Cores > 0 {
			add("%s cores", strconv.Itoa(e.Cores))
		}
		add("%s", e.GPU)
		add("%s", strings.TrimSpace(e.OS+" "+e.Arch))
	}
	if !r.Started.IsZero() {
		add("%s", r.Started.Format(TimestampLayout))
	}
	return list
}
