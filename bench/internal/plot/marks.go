package plot

import (
	"math"
	"strings"
)

// Point is one of the data.
type Point struct{ X, Y float64 }

// Line joins the points. faint: less is known of it than of others.
func (p *Panel) Line(points []Point, s Style, faint bool, title string) {
	class := s.line()
	if faint {
		class = s.faint()
	}
	if d := p.outline(points); d != "" {
		p.c.path(d, class, title)
	}
}

// outline is a path through the points. What lies in a column of pixels is drawn by its
// first, lowest, highest and last point, which looks the same however many there are.
func (p *Panel) outline(points []Point) string {
	var list []Point
	for _, point := range points {
		x, y := p.at(point.X, point.Y)
		if !math.IsNaN(x+y) && !math.IsInf(x+y, 0) {
			list = append(list, Point{x, y})
		}
	}
	var b strings.Builder
	to := func(q Point) {
		command := "L"
		if b.Len() == 0 {
			command = "M"
		}
		b.WriteString(command + px(q.X) + " " + px(q.Y))
	}
	for i := 0; i < len(list); {
		first, last := i, i
		low, high := i, i
		for ; last+1 < len(list) && math.Floor(list[last+1].X) == math.Floor(list[first].X); last++ {
			if list[last+1].Y < list[low].Y {
				low = last + 1
			}
			if list[last+1].Y > list[high].Y {
				high = last + 1
			}
		}
		drawn := -1
		for _, at := range []int{first, min(low, high), max(low, high), last} {
			if at > drawn {
				to(list[at])
				drawn = at
			}
		}
		i = last + 1
	}
	return b.String()
}

// MostDots of a plot are drawn, or a page would be too large to be sent.
const MostDots = 4000

// fewDots are so few that each may be large.
const fewDots = 300

// Dots draws a small mark at every point. Those that would lie on each other are drawn once,
// and the nearer that is, the more there are; at most that many are drawn, and no point is left
// without a mark.
func (p *Panel) Dots(points []Point, s Style, most int, title string) {
	for grid := 0.5; ; grid *= 1.5 {
		var b strings.Builder
		taken := map[[2]int]bool{}
		for _, point := range points {
			x, y := p.at(point.X, point.Y)
			cell := [2]int{int(math.Round(x / grid)), int(math.Round(y / grid))}
			if taken[cell] {
				continue
			}
			taken[cell] = true
			b.WriteString("M" + px(x) + " " + px(y) + "h0")
		}
		if len(taken) <= max(most, 100) {
			class := s.dots()
			if len(taken) < fewDots {
				class += " few"
			}
			if b.Len() > 0 {
				p.c.path(b.String(), class, title)
			}
			return
		}
	}
}

// Marker draws the style's shape at a point.
func (p *Panel) Marker(at Point, s Style, title string) {
	x, y := p.at(at.X, at.Y)
	p.c.marker(x, y, s, title)
}

// Bar fills a rectangle between two points of the data.
func (p *Panel) Bar(from, to Point, s Style, title string) {
	x0, y0 := p.at(from.X, from.Y)
	x1, y1 := p.at(to.X, to.Y)
	x0, x1 = min(x0, x1), max(x0, x1)
	y0, y1 = min(y0, y1), max(y0, y1)
	x1 = max(x1, x0+0.8) // what is there is seen
	p.c.b.WriteString(`<rect class="` + s.fill() + `" x="` + px(x0) + `" y="` + px(y0) + `" width="` + px(x1-x0) + `" height="` + px(y1-y0) + `"`)
	p.c.close("rect", title)
}

// Band shades what lies between two values of y.
func (p *Panel) Band(lo, hi float64, title string) {
	_, bottom := p.at(0, lo)
	_, top := p.at(0, hi)
	top, bottom = max(top, p.top), min(bottom, p.bottom)
	p.c.b.WriteString(`<rect class="band" x="` + px(p.left) + `" y="` + px(top) + `" width="` + px(p.right-p.left) + `" height="` + px(bottom-top) + `"`)
	p.c.close("rect", title)
}

// Across is a line at a value of y over the whole panel, and a text on it.
func (p *Panel) Across(y float64, text string) {
	_, at := p.at(0, y)
	p.c.path("M"+px(p.left)+" "+px(at)+"H"+px(p.right), "rule", text)
	if text != "" {
		p.c.text(p.right-4, at-5, end, "label", fit(text, p.right-p.left))
	}
}

// Upright is a line at a value of x over the whole panel, and a text at its top.
func (p *Panel) Upright(x float64, text string) {
	at, _ := p.at(x, 0)
	p.c.path("M"+px(at)+" "+px(p.top)+"V"+px(p.bottom), "rule", text)
	if text != "" {
		p.c.text(at+4, p.top+12, start, "label", text)
	}
}

// Beam joins two points of y axis' row, or of any: an interval.
func (p *Panel) Beam(from, to Point, s Style, title string) {
	x0, y0 := p.at(from.X, from.Y)
	x1, y1 := p.at(to.X, to.Y)
	p.c.path("M"+px(x0)+" "+px(y0)+"L"+px(x1)+" "+px(y1), "beam "+s.color(), title)
}

// Behind is a value of x so far beyond another, the largest, that a text has room between the
// two, in a panel that begins after left.
func (c *Canvas) Behind(most, left float64, text string) float64 {
	room := c.W - 14 - left
	return most * room / max(room-width(text)-10, room/3)
}

// Note writes beside a point: behind it where there is room, else before it.
func (p *Panel) Note(at Point, text string) {
	x, y := p.at(at.X, at.Y)
	if x+8+width(text) > p.c.W {
		p.c.text(x-8, y+4, end, "", text)
		return
	}
	p.c.text(x+8, y+4, start, "", text)
}

// Beside writes behind a bar or, where that is no room, before it.
func (p *Panel) Beside(from, to, row float64, text string) {
	x0, y := p.at(from, row)
	x1, _ := p.at(to, row)
	if x1+6+width(text) > p.c.W && x0-6-width(text) > p.left {
		p.c.text(x0-6, y+4, end, "", text)
		return
	}
	p.c.text(x1+6, y+4, start, "", text)
}

// Rule is a dashed line between two points.
func (p *Panel) Rule(from, to Point, title string) {
	x0, y0 := p.at(from.X, from.Y)
	x1, y1 := p.at(to.X, to.Y)
	p.c.path("M"+px(x0)+" "+px(y0)+"L"+px(x1)+" "+px(y1), "rule", title)
}

// Shade shades a rectangle between two points.
func (p *Panel) Shade(from, to Point, title string) {
	x0, y0 := p.at(from.X, from.Y)
	x1, y1 := p.at(to.X, to.Y)
	left, right := max(min(x0, x1), p.left), min(max(x0, x1), p.right)
	top, bottom := max(min(y0, y1), p.top), min(max(y0, y1), p.bottom)
	p.c.b.WriteString(`<rect class="band" x="` + px(left) + `" y="` + px(top) + `" width="` + px(right-left) + `" height="` + px(bottom-top) + `"`)
	p.c.close("rect", title)
}

// Slope is the line of y = rate times x, on two logarithmic axes, as far as it is in the
// panel, with a text at its upper end.
func (p *Panel) Slope(rate float64, text string) {
	// On such axes it is straight: two points of it are enough, cut off at the sides.
	x0, y0 := p.at(1, rate)
	x1, y1 := p.at(10, 10*rate)
	if !(y1 < y0) {
		return
	}
	tilt := (y1 - y0) / (x1 - x0)
	yAt := func(x float64) float64 { return y0 + float64(tilt*(x-x0)) }
	xAt := func(y float64) float64 { return x0 + (y-y0)/tilt }
	left, right := p.left, p.right
	if yAt(left) > p.bottom {
		left = xAt(p.bottom)
	}
	if yAt(right) < p.top {
		right = xAt(p.top)
	}
	if right-left < 30 || left >= p.right {
		return
	}
	p.c.path("M"+px(left)+" "+px(yAt(left))+"L"+px(right)+" "+px(yAt(right)), "slope", text)
	p.c.text(left+4, min(p.bottom-5, yAt(left)-3), start, "label", text)
}
