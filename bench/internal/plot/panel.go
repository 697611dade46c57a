package plot

// Panel is a rectangle of a drawing with an axis on two sides.
type Panel struct {
	c                        *Canvas
	left, right, top, bottom float64
	x, y                     Axis
}

const (
	lineHeight = 16
	aboveTicks = 4 // between a panel and the text beside it
)

// Ground says what of a panel's surroundings is drawn.
type Ground struct {
	Height  float64 // of the rectangle
	NoX     bool    // another panel below has the same x axis
	Left    float64 // room for the y axis' text; 0: as its ticks need
	Heading string  // above the panel, in the place of the y axis' label
}

// Panel adds a panel below what is drawn already.
func (c *Canvas) Panel(x, y Axis, g Ground) *Panel {
	p := &Panel{c: c, x: x, y: y, right: c.W - 14}
	vertical := y.ticks(vertically(g.Height))
	p.left = g.Left
	if p.left == 0 {
		p.left = Room(vertical)
	}
	above := p.left > 0.42*c.W // names that leave no room beside them
	if above {
		p.left = 8
	}
	p.top = c.H + lineHeight + 6
	p.bottom = p.top + g.Height
	if heading := g.Heading; heading != "" || y.Label != "" {
		if heading == "" {
			heading = y.Label
		}
		c.text(0, p.top-8, start, "label", fit(heading, c.W))
	}
	for _, t := range vertical {
		_, at := p.at(0, t.At)
		c.path("M"+px(p.left)+" "+px(at)+"H"+px(p.right), "grid", "")
		if above {
			c.text(p.left+4, at-8, start, "over", fit(t.Text, c.W-p.left-18))
			continue
		}
		c.text(p.left-6, at+4, end, "", fit(t.Text, p.left-6))
	}
	p.horizontal(g)
	return p
}

// Room is how much a text beside the ticks takes.
func Room(ticks []Tick) float64 {
	room := 0.0
	for _, t := range ticks {
		room = max(room, width(t.Text))
	}
	return room + 12
}

// vertically is how many ticks there are at the side of a panel, at most.
func vertically(height float64) int { return max(3, int(height/30)) }

// RoomOf is the room that an axis takes at the left of a panel of that height.
func RoomOf(y Axis, height float64) float64 { return Room(y.ticks(vertically(height))) }

// horizontal draws the x axis with its ticks, which get no nearer to each other than their
// texts allow.
func (p *Panel) horizontal(g Ground) {
	ticks := p.x.ticks(max(2, int((p.right-p.left)/64)))
	free := -1e9 // how far the last text reaches
	for _, t := range ticks {
		at, _ := p.at(t.At, 0)
		p.c.path("M"+px(at)+" "+px(p.top)+"V"+px(p.bottom), "grid", "")
		if g.NoX || t.Text == "" {
			continue
		}
		half := float64(width(t.Text) / 2)
		middleAt := min(at, p.c.W-half) // no text reaches out of the drawing
		if middleAt-half < free {
			continue
		}
		free = middleAt + half + 6
		p.c.text(middleAt, p.bottom+lineHeight, middle, "", t.Text)
	}
	p.c.path("M"+px(p.left)+" "+px(p.top)+"V"+px(p.bottom)+"H"+px(p.right), "axis", "")
	p.c.H = p.bottom + 4
	if !g.NoX {
		p.c.H += lineHeight
		if p.x.Label != "" {
			p.c.text(p.right, p.bottom+2*lineHeight, end, "label", fit(p.x.Label, p.right))
			p.c.H += lineHeight + 2
		}
	}
}

// at is where a point of the data is drawn. The products are rounded before they are added,
// or the same page would not be the same to the byte on processors that fuse the two.
func (p *Panel) at(x, y float64) (float64, float64) {
	return p.left + float64(p.x.scale.Map(x)*(p.right-p.left)), p.bottom - float64(p.y.scale.Map(y)*(p.bottom-p.top))
}
