package metal

import "github.com/minilm-metal/minilm-metal/model"

// planner is a model.Device that makes plans without running them. So the plans that are
// examined are those that model.Encode makes.
type planner struct{ plan }

func newPlanner(c model.Config, t Tiling) (*planner, error) {
	l, err := newLayout(c, t.columns())
	if err != nil {
		return nil, err
	}
	parts := l.parts()
	return &planner{plan{layout: &l, parts: &parts, kernels: l.kernels(&t, true)}}, nil
}

func (p *planner) Name() string { return "plan" }
func (p *planner) Passes() int  { return 1 }
func (p *planner) Close() error { return nil }

func (p *planner) Begin(b *model.Batch) (model.Pass, error) {
	p.begin(b)
	return p, nil
}

func (p *planner) Embed()                               { p.embed() }
func (p *planner) Attention(layer int, keep model.Rows) { p.attention(layer, keep) }
func (p *planner) FeedForward(layer int)                { p.feedForward(layer) }
func (p *planner) Hidden([]float32) error               { return nil }
func (p *planner) End()                                 {}

func (p *planner) Pool(r []model.Reduce, _ []float32) error {
	p.pool(r)
	return nil
}
