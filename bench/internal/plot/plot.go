// Package plot draws the plots of the bench's pages as SVG: one drawing for a wide window
// and one for a narrow one, which a style sheet chooses between. A drawing has no colours
// of its own but classes, no script and nothing that is fetched.
//
// Scales and the choice of ticks are go-moremath's; the marks are ours, because a mark must
// have a title, a class and a shape that tells it from others without its colour.
package plot

import (
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Plot is one figure of a page.
type Plot struct {
	ID       string // of its place in the page
	Title    string
	Question string // what it answers
	Finding  string // what it shows, in words: its caption, and the description for who cannot see it
	Legend   []Entry
	Table    Table  // its numbers
	Missing  string // why there is nothing to draw; empty: Draw draws it
	Draw     func(*Canvas)
	// Words changes what is written in a drawing; nil: it stays.
	Words func(string) string
}

// Entry is a series in the legend, which leads to the row that it was drawn from.
type Entry struct {
	Style Style
	Name  string
	Row   string // the id of the row; "": it has none
	Line  bool   // whether the series has a line
	Mark  bool   // whether it has marks
}

// Table is numbers as text.
type Table struct {
	Titles []string
	Rows   [][]string
}

// The width of the two drawings. Their text is as large as the page's when they are shown
// at this width, which a telephone and half of a desktop's window have.
const (
	wideWidth   = 680
	narrowWidth = 360
)

// Drawings are the plot's two drawings, the wide one first.
func (p *Plot) Drawings() template.HTML {
	var b strings.Builder
	for _, c := range []*Canvas{{W: wideWidth}, {W: narrowWidth, Narrow: true}} {
		class := "wide"
		if c.Narrow {
			class = "narrow"
		}
		c.words = p.Words
		p.Draw(c)
		id := p.ID + "-" + class
		b.WriteString(`<svg class="drawing ` + class + `" role="img" viewBox="0 0 ` + px(c.W) + " " + px(c.H) +
			`" aria-labelledby="` + id + `-title ` + id + `-desc"><title id="` + id + `-title">` + html.EscapeString(p.Title) +
			`</title><desc id="` + id + `-desc">` + html.EscapeString(p.Finding) + `</desc>`)
		b.WriteString(c.b.String())
		b.WriteString("</svg>\n")
	}
	return template.HTML(b.String()) // what is text in it was escaped where it was written
}

// Swatch is the sample of a series in the legend.
func (e *Entry) Swatch() template.HTML {
	c := Canvas{W: 34, H: 14}
	if e.Line {
		c.path("M1 7h32", e.Style.line(), "")
	}
	if e.Mark {
		c.marker(17, 7, e.Style, "")
	}
	return template.HTML(`<svg class="swatch" viewBox="0 0 34 14" aria-hidden="true">` + c.b.String() + "</svg>")
}

// nowhere is far outside of any drawing.
const nowhere = 1e5

// px is a length as short as it may be: a tenth of a pixel is more than anybody sees. What is no
// place is nowhere.
func px(v float64) string {
	if math.IsNaN(v) {
		v = -nowhere
	}
	v = max(-nowhere, min(nowhere, v))
	s := strconv.FormatFloat(v, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}
