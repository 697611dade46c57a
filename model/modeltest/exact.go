package modeltest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
)

// exact holds what the reference makes of each model of shapes and each batch. A package
// compares all of its variants with the same values, and float64 takes most of the time.
var exact sync.Map // of exactKey: func() ([][]float64, error)

type exactKey struct{ model, what, batch string }

// exactly returns what compute makes of a reference's pass over b. It runs once in a process
// for each model, batch and what, on which alone it must depend.
func (s *suite) exactly(t *testing.T, what string, b *model.Batch, compute func(p *model.ReferencePass) [][]float64) [][]float64 {
	t.Helper()
	once, _ := exact.LoadOrStore(exactKey{s.name, what, fmt.Sprint(*b)}, sync.OnceValues(func() ([][]float64, error) {
		p, err := s.reference.Begin(b)
		if err != nil {
			return nil, err
		}
		defer p.End()
		return compute(p.(*model.ReferencePass)), nil
	}))
	values, err := once.(func() ([][]float64, error))()
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// block is a part of a pass after which there is a hidden state.
type block struct {
	name string
	run  func(p model.Pass)
}

// steps are the blocks of a pass that keeps these rows of the last layer.
func (s *suite) steps(last model.Rows) []block {
	all := []block{{"embed", model.Pass.Embed}}
	for layer := range s.w.Config.Layers {
		keep := model.AllRows
		if layer == s.w.Config.Layers-1 {
			keep = last
		}
		all = append(all,
			block{fmt.Sprintf("layer %d attention", layer), func(p model.Pass) { p.Attention(layer, keep) }},
			block{fmt.Sprintf("layer %d feed-forward", layer), func(p model.Pass) { p.FeedForward(layer) }})
	}
	return all
}

// exactBlocks returns the hidden state after each of the steps to [CLS] rows.
func (s *suite) exactBlocks(t *testing.T, b *model.Batch) [][]float64 {
	t.Helper()
	return s.exactly(t, "blocks", b, func(p *model.ReferencePass) (states [][]float64) {
		for _, step := range s.steps(model.ClsRows) {
			step.run(p)
			states = append(states, slices.Clone(p.Hidden64()))
		}
		return states
	})
}

// exactPools returns what each way of pooling reads of all rows.
func (s *suite) exactPools(t *testing.T, b *model.Batch, ways [][]model.Pooling) [][]float64 {
	t.Helper()
	return s.exactly(t, "pools", b, func(p *model.ReferencePass) (rows [][]float64) {
		for _, step := range s.steps(model.AllRows) {
			step.run(p)
		}
		for _, way := range ways {
			rows = append(rows, p.Pool64(model.Reductions(nil, way, b)))
		}
		return rows
	})
}
