package engine

import (
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// gate compares the results of devices with float32's, on made-up pairs or texts. What is
// compared, and how much is allowed, is the purpose's.
type gate struct {
	config  *model.Config
	pool    []model.Pooling
	head    head
	width   int          // values in a result
	compare comparison   // of the results
	plain   model.Device // float32
	tests   []*model.Batch
	want    []float32 // plain's results, for as many tests as were needed so far
}

// comparison returns how far results are from the expected ones of the same inputs, width
// values each.
type comparison func(got, want []float32, width int) *Deviation

// comparison returns that of the engine's purpose.
func (e *Engine) comparison() comparison {
	switch e.options.purpose {
	case embedding:
		return embeddingDeviation
	case classifying:
		return labelDeviation(e.meaning.Final)
	}
	return scoreDeviation
}

// of says what the results are of which a Deviation is.
func (e *Engine) of() string {
	return [...]string{scoring: ofScores, embedding: ofEmbeddings, classifying: ofLabels}[e.options.purpose]
}

func (e *Engine) newGate(plain model.Device) *gate {
	return &gate{config: &e.info.Config, pool: e.weights.Head.Pool, head: e.head, width: e.width, compare: e.comparison(), plain: plain, tests: e.madeUp()}
}

// judge compares d's results with plain's. It stops at the first test that deviates more
// than is allowed of the precision, because later tests take longer.
func (g *gate) judge(d model.Device, precision string) (of *Deviation, err error) {
	var (
		got    []float32
		memory cpu.HeadMemory
	)
	run := func(d model.Device, results []float32, b *model.Batch) ([]float32, error) {
		n, rows := len(results), make([]float32, b.Len()*len(g.pool)*g.config.HiddenSize)
		if err := model.Encode(d, g.config, b, model.Reductions(nil, g.pool, b), rows); err != nil {
			return nil, because(ErrModel, err)
		}
		results = append(results, make([]float32, b.Len()*g.width)...)
		g.head.Run(&memory, results[n:], rows)
		return results, nil
	}
	for _, b := range g.tests {
		if got, err = run(d, got, b); err != nil {
			return nil, err
		}
		if len(g.want) < len(got) {
			if g.want, err = run(g.plain, g.want, b); err != nil {
				return nil, err
			}
		}
		if of = g.compare(got, g.want[:len(got)], g.width); !of.within(precision) {
			break
		}
	}
	return of, nil
}
