package bench

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// page writes markdown as blocks with an empty line between them. The first
// error is kept by the bufio.Writer and comes out of Flush.
type page struct {
	w       *bufio.Writer
	started bool
}

func newPage(w io.Writer) *page { return &page{w: bufio.NewWriter(w)} }

// block starts a block.
func (p *page) block() {
	if p.started {
		p.w.WriteByte('\n')
	}
	p.started = true
}

// para writes one line as a block. What comes from outside must not break it:
// args that are strings lose their line ends.
func (p *page) para(format string, args ...any) {
	p.block()
	p.line(format, args...)
}

func (p *page) line(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = oneLine(s)
		}
	}
	fmt.Fprintf(p.w, format+"\n", args...)
}

// table writes a table right below what is above it; each column's rule is as
// wide as its title, as the format has it.
func (p *page) table(titles []string, rows [][]string) {
	p.ruledTable(titles, func(title string) int { return len(title) + 2 }, rows)
}

// narrowTable is a table whose rules are five wide: the dashboard's.
func (p *page) narrowTable(titles []string, rows [][]string) {
	p.ruledTable(titles, func(string) int { return 5 }, rows)
}

func (p *page) ruledTable(titles []string, width func(title string) int, rows [][]string) {
	p.row(titles)
	for _, title := range titles {
		p.w.WriteString("|" + strings.Repeat("-", width(title)))
	}
	p.w.WriteString("|\n")
	for _, row := range rows {
		p.row(row)
	}
}

// row writes cells, with what would end one escaped.
func (p *page) row(cells []string) {
	for _, cell := range cells {
		p.w.WriteString("| " + strings.ReplaceAll(oneLine(cell), "|", `\|`) + " ")
	}
	p.w.WriteString("|\n")
}

// oneLine is s with every run of white space as one space, and valid UTF-8.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
}
