package plot

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Canvas is a drawing under way. H grows with what is drawn.
type Canvas struct {
	W, H   float64
	Narrow bool // there is room for few ticks
	b      strings.Builder
	words  func(string) string // nil: texts stay as they are
}

// Style tells series apart: by colour, by dash and by the shape of the mark, so that two of
// them are enough. It counts from 0.
type Style int

// Plain is the style of what is no series among others.
const Plain Style = -1

const (
	colours = 7 // those of the style sheet
	dashes  = 4
	shapes  = 6
)

func (s Style) color() string {
	if s == Plain {
		return "plain"
	}
	return "c" + strconv.Itoa(int(s)%colours)
}

// dash runs out of step with the colours, or the eighth series would look like the first.
func (s Style) dash() string {
	if s == Plain {
		return "d0"
	}
	return "d" + strconv.Itoa((int(s)+int(s)/colours)%dashes)
}

// Classes of marks, for the style sheet.
func (s Style) line() string { return "line " + s.color() + " " + s.dash() }
func (s Style) dots() string { return "dots " + s.color() }
func (s Style) fill() string { return "fill " + s.color() }

// Faint is a line of a series where less is known of it.
func (s Style) faint() string { return "line faint " + s.color() }

// path draws a path; an empty title is none.
func (c *Canvas) path(d, class, title string) {
	c.b.WriteString(`<path class="` + class + `" d="` + d + `"`)
	c.close("path", title)
}

func (c *Canvas) close(element, title string) {
	if title == "" {
		c.b.WriteString("/>")
		return
	}
	c.b.WriteString("><title>" + html.EscapeString(c.said(title)) + "</title></" + element + ">")
}

// Where a text lies from its point.
const (
	start  = "start"
	middle = "middle"
	end    = "end"
)

func (c *Canvas) text(x, y float64, anchor, class, s string) {
	c.b.WriteString(`<text x="` + px(x) + `" y="` + px(y) + `"`)
	if anchor != start {
		c.b.WriteString(` text-anchor="` + anchor + `"`)
	}
	if class != "" {
		c.b.WriteString(` class="` + class + `"`)
	}
	c.b.WriteString(">" + html.EscapeString(c.said(s)) + "</text>")
}

// said is a text in the plot's words.
func (c *Canvas) said(s string) string {
	if c.words == nil {
		return s
	}
	return c.words(s)
}

// width is about how wide a text is, in the drawings' 12 px: a figure's width for each
// letter, which is more than most have.
func width(s string) float64 { return float64(6.8 * float64(utf8.RuneCountInString(s))) }

// fit is s as far as there is room for it.
func fit(s string, room float64) string {
	n := max(1, int(room/6.8))
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(1, n-1)]) + "…"
}

// marker draws the shape of a style around a point.
func (c *Canvas) marker(x, y float64, s Style, title string) {
	at := px(x) + " " + px(y)
	shape := 0
	if s != Plain {
		shape = int(s) % shapes // with the colours, which are one more, unlike any other
	}
	d := "M" + at
	switch shape {
	case 0: // a circle of two halves
		d += "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z"
	case 1: // square
		d += "m-3.6-3.6h7.2v7.2h-7.2z"
	case 2: // triangle
		d += "m0-5l4.8 8.4h-9.6z"
	case 3: // diamond
		d += "m0-5.2l4.6 5.2l-4.6 5.2l-4.6-5.2z"
	case 4: // triangle, upside down
		d += "m0 5l4.8-8.4h-9.6z"
	case 5: // cross
		d += "m-4.8-1.6h3.2v-3.2h3.2v3.2h3.2v3.2h-3.2v3.2h-3.2v-3.2h-3.2z"
	}
	c.path(d, s.fill()+" mark", title)
}
