// Package markdown writes the pages of the reports and of comparisons, and reads their tables.
package markdown

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Page writes markdown as blocks with an empty line between them. The first
// error is kept by the bufio.Writer and comes out of Flush.
type Page struct {
	// Words changes the words of what is the page's own: formats, titles of tables, and what
	// stands in their first column; nil: they stay.
	Words func(string) string

	w       *bufio.Writer
	started bool
}

// NewPage begins a page that is written to w.
func NewPage(w io.Writer) *Page { return &Page{w: bufio.NewWriter(w)} }

// Flush writes what is left, and returns the first error of all.
func (p *Page) Flush() error { return p.w.Flush() }

// Block starts a block.
func (p *Page) Block() {
	if p.started {
		p.w.WriteByte('\n')
	}
	p.started = true
}

// Para writes one line as a block. What comes from outside must not break it:
// args that are strings lose their line ends.
func (p *Page) Para(format string, args ...any) {
	p.Block()
	p.Line(format, args...)
}

// Line writes one line right below what is above it, as Para does.
func (p *Page) Line(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = OneLine(s)
		}
	}
	fmt.Fprintf(p.w, p.words(format)+"\n", args...)
}

// Table writes a table right below what is above it; each column's rule is as
// wide as its title, as the format has it.
func (p *Page) Table(titles []string, rows [][]string) {
	p.ruledTable(titles, func(title string) int { return len(title) + 2 }, rows)
}

// NarrowTable is a table whose rules are five wide: the dashboard's.
func (p *Page) NarrowTable(titles []string, rows [][]string) {
	p.ruledTable(titles, func(string) int { return 5 }, rows)
}

func (p *Page) ruledTable(titles []string, width func(title string) int, rows [][]string) {
	titles, rows = p.inWords(titles, rows)
	p.row(titles)
	for _, title := range titles {
		p.w.WriteString("|" + strings.Repeat("-", width(title)))
	}
	p.w.WriteString("|\n")
	for _, row := range rows {
		p.row(row)
	}
}

func (p *Page) words(text string) string {
	if p.Words == nil {
		return text
	}
	return p.Words(text)
}

// inWords is a table in the page's words.
func (p *Page) inWords(titles []string, rows [][]string) ([]string, [][]string) {
	if p.Words == nil {
		return titles, rows
	}
	own := make([]string, len(titles))
	for i, title := range titles {
		own[i] = p.Words(title)
	}
	for _, row := range rows {
		row[0] = p.Words(row[0])
	}
	return own, rows
}

// row writes cells, with what would end one escaped.
func (p *Page) row(cells []string) {
	for _, cell := range cells {
		p.w.WriteString("| " + escape(cell) + " ")
	}
	p.w.WriteString("|\n")
}

// OneLine is s with every run of white space as one space, valid UTF-8, and what controls
// terminals and is seen nowhere as its picture: NUL is \u2400.
func OneLine(s string) string {
	return strings.Map(Visible, strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " "))
}

// Visible is a character, or for one that controls the picture that stands for it.
func Visible(r rune) rune {
	switch {
	case r < ' ':
		return '\u2400' + r
	case r == '\x7f':
		return '\u2421'
	case unicode.IsControl(r), r == '\ufffe', r == '\uffff': // without a picture of its own
		return '\ufffd'
	}
	return r
}
