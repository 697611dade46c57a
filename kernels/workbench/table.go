package workbench

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// WriteTable writes the report for reading: the machine's ceilings, then a table for each
// kernel, in which the variants of a shape are next to each other.
func (p *Report) WriteTable(w io.Writer) error {
	b := bufio.NewWriter(w)
	p.writeCeilings(b)
	t := table{left: 2, rows: [][]string{{"rows", "variant", "time", "best", "±", "GFLOP/s", "GB/s", "FLOP/B", "peak", "roofline", "bound"}}}
	var last *Result
	for _, r := range p.Measured() {
		if last == nil || r.Kernel != last.Kernel || r.Title != last.Title {
			t.heads = append(t.heads, head{len(t.rows), r.Kernel + ": " + r.Title})
			last = nil
		}
		rows := fmt.Sprint(r.Shape.Rows)
		if last != nil && r.Shape == last.Shape {
			rows = ""
		}
		t.rows = append(t.rows, p.row(rows, r))
		last = r
	}
	if last != nil {
		fmt.Fprintln(b)
		t.write(b)
	}
	return b.Flush()
}

// row returns the line of a result.
func (p *Report) row(rows string, r *Result) []string {
	spread := r.Spread()
	rates := p.Rates(r, spread.Median)
	peak, roof, bound := "n/a", "n/a", "n/a"
	if rates.Bound != "" {
		peak, roof, bound = percent(rates.PeakShare), percent(rates.RoofShare), rates.Bound
	}
	flops, intensity := digits(rates.FLOPS/1e9), digits(r.Work.Intensity())
	if r.Work.FLOPs == 0 {
		flops, intensity, peak = "-", "-", "-"
	}
	return []string{
		rows, r.Variant.String(), duration(spread.Median), duration(spread.Min), percent(spread.Relative()),
		flops, digits(rates.Bandwidth / 1e9), intensity, peak, roof, bound,
	}
}

func (p *Report) writeCeilings(b *bufio.Writer) {
	head := []string{"variant", "peak GFLOP/s"}
	for _, l := range p.Levels {
		head = append(head, l.Name+" GB/s")
	}
	t := table{left: 1, rows: [][]string{head}}
	for _, c := range p.Ceilings {
		row := []string{c.Variant.String(), orNone(c.Peak/1e9, "%.1f")}
		for _, read := range c.Read {
			row = append(row, orNone(read/1e9, "%.1f"))
		}
		t.rows = append(t.rows, row)
	}
	t.write(b)
	var sets []string
	for _, l := range p.Levels {
		set := fmt.Sprintf("%s %s", binary(l.Read), l.Name)
		if l.Bytes > 0 {
			set = fmt.Sprintf("%s of %s %s", binary(l.Read), binary(l.Bytes), l.Name)
		}
		if l.Assumed {
			set += " (assumed)"
		}
		sets = append(sets, set)
	}
	fmt.Fprintf(b, "One thread. Read: %s.\n", strings.Join(sets, ", "))
}

// table is a table of aligned text. The first columns are aligned to the left, the others
// to the right. The first row is the heading.
type table struct {
	left  int
	rows  [][]string
	heads []head
}

// head is a subheading on a line of its own before a row.
type head struct {
	before int
	text   string
}

func (t *table) write(b *bufio.Writer) {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	heads := t.heads
	for n, row := range t.rows {
		if len(heads) > 0 && heads[0].before == n {
			fmt.Fprintf(b, "\n%s\n", heads[0].text)
			heads = heads[1:]
		}
		line := ""
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < t.left {
				line += cell + pad
			} else {
				line += pad + cell
			}
			line += "  "
		}
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
}

// duration formats nanoseconds with three significant digits.
func duration(ns float64) string {
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"s", time.Second}, {"ms", time.Millisecond}, {"µs", time.Microsecond}} {
		if x := ns / float64(unit.of); x >= 0.9995 {
			return digits(x) + " " + unit.name
		}
	}
	return digits(ns) + " ns"
}

// digits formats a number with three significant digits, or with all digits before the
// point.
func digits(x float64) string {
	switch {
	case x < 9.995:
		return fmt.Sprintf("%.2f", x)
	case x < 99.95:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

func percent(share float64) string { return fmt.Sprintf("%.0f%%", 100*share) }

// orNone formats a figure, or returns "n/a" for 0, which means that it was not measured.
func orNone(x float64, format string) string {
	if x == 0 {
		return "n/a"
	}
	return fmt.Sprintf(format, x)
}

// binary formats a number of bytes.
func binary(bytes int64) string {
	for _, unit := range []struct {
		name string
		of   int64
	}{{"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if bytes >= unit.of {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(bytes)/float64(unit.of)), ".0") + " " + unit.name
		}
	}
	return fmt.Sprintf("%d bytes", bytes)
}
