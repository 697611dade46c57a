// Package page writes the pages of the bench as one HTML file each: nothing in it is
// fetched, nothing in it runs, and the same page is the same bytes.
//
// A page has its verdict first, then a table, the plots, and the sections of the markdown
// report: what the two say is the same because it is written once.
package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
)

// Page is what is on a page, from its top to its end.
type Page struct {
	Title       string
	Description string
	Verdict     string   // one line: what is to be known if nothing else is read
	Bad         bool     // the verdict is that something is wrong
	Open        bool     // there is none
	Warnings    []string // what to know before the figures are believed
	Facts       []Fact   // the few numbers that people come for
	About       []string // what was measured, on what
	Heading     string   // of the table
	Table       Table
	TableNotes  []string // below it, in the markup of the reports
	Plots       []plot.Plot
	Sections    []Section // see [Sections]
	Files       []File    // to be saved from the page
	Absent      string    // why there is no such file
	Foot        []string
}

// Fact is a number with what it is.
type Fact struct{ Name, Value, Unit, Note string }

// Table is a table whose rows can be led to.
type Table struct {
	Titles []Cell
	Rows   []Row
}

// Row is a row of a table.
type Row struct {
	ID    string
	Cells []Cell
}

// Cell is a text that may lead to a place in the page.
type Cell struct{ Text, To string }

// File is a file that the page carries.
type File struct {
	Name string
	Type string // as MIME has it
	Data []byte
}

//go:embed style.css
var style string

//go:embed page.tmpl
var source string

var templates = template.Must(template.New("page").Funcs(template.FuncMap{
	"style":   func() template.CSS { return template.CSS(style) },
	"markup":  inline,
	"numbers": numbers,
}).Parse(source))

// Write writes the page. What controls terminals, and is no part of HTML, is in no text of it:
// its picture is.
func (p *Page) Write(w io.Writer) error {
	var b strings.Builder
	if err := templates.Execute(&b, p); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	text := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return markdown.Visible(r)
	}, b.String())
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

// Drawn are the plots that there is something to draw in.
func (p *Page) Drawn() (list []plot.Plot) {
	for _, of := range p.Plots {
		if of.Missing == "" {
			list = append(list, of)
		}
	}
	return list
}

// Missing are the others.
func (p *Page) Missing() (list []plot.Plot) {
	for _, of := range p.Plots {
		if of.Missing != "" {
			list = append(list, of)
		}
	}
	return list
}

// URL is the file as a link has it.
func (f *File) URL() template.URL {
	return template.URL("data:" + f.Type + ";base64," + base64Of(f.Data))
}

// Size is the file's size as people read it.
func (f *File) Size() string { return Size(len(f.Data)) }

// Size is a number of bytes as people read it.
func Size(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%d kB", (n+500)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
