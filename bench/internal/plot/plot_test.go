package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// Ticks are round numbers, as many as there is room for, and at least three where the axis is
// logarithmic.
func TestTicks(t *testing.T) {
	for _, c := range []struct {
		axis Axis
		most int
		want string
	}{
		{Exact("", 0, 10), 6, "0 2 4 6 8 10"},
		{Exact("", 0, 10), 3, "0 5 10"},
		{Exact("", 0, 0.37), 4, "0 0.1 0.2 0.3"},
		{Exact("", 0, 48000), 4, "0 20k 40k"},
		{Exact("", -1.5, 1), 4, "-1 0 1"},
		{Linear("", 0, 100), 6, "0 20 40 60 80 100"},
		{Linear("", 5, 5), 6, "4.6 4.8 5 5.2 5.4"},
		{Log("", 1, 1000), 4, "1 10 100 1000"},
		{Log("", 10, 300), 8, "10 20 30 50 70 100 200 300"},
		{Log("", 1, 1e9), 4, "1 10 100 1000 10k 100k 1M 10M 100M 1G"},
		{Log("", 240, 290), 6, "240 250 260 270 280 290"},
		{Log("", 20, 20), 6, "19.6 19.8 20 20.2 20.4 20.6"},
		{Whole("", 0.4, 3.6), 8, "1 2 3"},
		{Tail("", 0.995), 0, "0 % 50 % 90 % 95 % 99 %"},
		{Rows([]string{"b", "a"}), 0, "b a"},
	} {
		var got []string
		for _, tick := range c.axis.ticks(c.most) {
			got = append(got, tick.Text)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("ticks %q, want %q", text, c.want)
		}
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.5: "0.5", 1234: "1234", 12345: "12.345k", 2.5e6: "2.5M", 3e9: "3G", 0.00012: "0.00012", -20000: "-20k"} {
		if got := Short(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

// From 90 to 99 % is as far as from 0 to 90 %.
func TestTail(t *testing.T) {
	s := stretched(0.999)
	if a, b := s.Map(0.9)-s.Map(0), s.Map(0.99)-s.Map(0.9); math.Abs(a-b) > 1e-12 || s.Map(0) != 0 || s.Map(0.999) != 1 {
		t.Errorf("%v, %v", a, b)
	}
}

// Two series are told apart without their colours, or by them.
func TestStyles(t *testing.T) {
	seen := map[string]bool{}
	for s := range Style(40) {
		var c Canvas
		c.marker(0, 0, s, "")
		look := s.color() + " " + s.dash() + c.b.String()
		if seen[look] {
			t.Errorf("series %d looks like one before it", s)
		}
		seen[look] = true
	}
}

// canvas draws into a panel of 0 to 100 both ways.
func canvas(draw func(*Panel)) string {
	c := &Canvas{W: wideWidth}
	draw(c.Panel(Exact("", 0, 100), Exact("", 0, 100), Ground{Height: 100}))
	return c.b.String()
}

// However many points there are, a series does not grow without end, and the farthest out of
// them is drawn.
func TestDots(t *testing.T) {
	var points []Point
	for i := range 200_000 {
		points = append(points, Point{float64(i%1000) / 10, float64(i*7919%1_000_003) / 20_000})
	}
	points = append(points, Point{50, 99})
	text := canvas(func(p *Panel) { p.Dots(points, 0, MostDots, "many") })
	if n := strings.Count(text, "h0"); n > MostDots || n < MostDots/4 {
		t.Errorf("%d dots", n)
	}
	few := canvas(func(p *Panel) { p.Dots(points[len(points)-1:], 0, MostDots, "one") })
	far := few[strings.LastIndex(few, `d="`)+3:]
	if far = far[:strings.Index(far, `"`)]; !strings.Contains(text, far) {
		t.Errorf("no dot at %s", far)
	}
}

// Nor does a line, and its lowest and highest points are on it.
func TestLines(t *testing.T) {
	var points []Point
	for i := range 100_000 {
		points = append(points, Point{float64(i) / 1000, 50 + float64(i%7)})
	}
	points[5000].Y, points[70_000].Y = 1, 99
	text := canvas(func(p *Panel) { p.Line(points, 0, false, "") })
	if n := strings.Count(text, "L"); n > 4*wideWidth {
		t.Errorf("%d points", n)
	}
	var low, high string
	canvas(func(p *Panel) {
		_, a := p.at(0, 1)
		_, b := p.at(0, 99)
		low, high = " "+px(a)+"L", " "+px(b)+"L"
	})
	if !strings.Contains(text, low) || !strings.Contains(text, high) {
		t.Error("the lowest or the highest point is left out")
	}
}

// Drawings are well formed, say what they are, and no text in them is markup.
func TestDrawings(t *testing.T) {
	const evil = `<script>"&'`
	p := &Plot{ID: "x", Title: evil, Finding: evil, Draw: func(c *Canvas) {
		panel := c.Panel(Log(evil, 1, 100), Linear(evil, -5, 7), Ground{Height: 90, Heading: evil})
		panel.Line([]Point{{1, 0}, {10, 5}, {math.NaN(), 1}, {100, math.Inf(1)}}, 1, true, evil)
		panel.Marker(Point{10, 5}, 3, evil)
		panel.Bar(Point{2, 0}, Point{20, 3}, Plain, evil)
		panel.Across(2, evil)
		panel.Upright(20, evil)
		panel.Band(-1, 1, evil)
		panel.Shade(Point{2, 0}, Point{3, 1}, evil)
		panel.Beam(Point{2, 2}, Point{30, 2}, 2, evil)
		panel.Note(Point{90, 2}, evil)
		panel.Beside(2, 90, 1, evil)
		panel.Rule(Point{1, 1}, Point{2, 2}, evil)
		c.Panel(Log("", 0.01, 100), Log("", 0.1, 1000), Ground{Height: 200}).Slope(10, evil)
	}}
	text := string(p.Drawings())
	if strings.Contains(text, "<script") || strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Errorf("%s", text)
	}
	var titles, texts int
	for d := xml.NewDecoder(strings.NewReader("<x>" + text + "</x>")); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if e, ok := token.(xml.StartElement); ok {
			switch e.Name.Local {
			case "title":
				titles++
			case "text":
				texts++
			case "svg":
				if !slices.Contains(e.Attr, xml.Attr{Name: xml.Name{Local: "role"}, Value: "img"}) {
					t.Error("a drawing that is no image")
				}
			}
		}
	}
	if titles < 20 || texts < 20 {
		t.Errorf("%d titles, %d texts", titles, texts)
	}
	if again := string(p.Drawings()); again != text {
		t.Error("drawn again it differs")
	}
	e := Entry{Style: 2, Name: "a", Line: true, Mark: true}
	if s := string(e.Swatch()); strings.Count(s, "<path") != 2 {
		t.Errorf("%s", s)
	}
}
