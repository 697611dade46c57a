package metal

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/x448/float16"
	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/model"
)

// parts are the offsets of the weights in their buffer, in bytes. A linear layer is its
// matrix, inputs × outputs in half, followed by its bias. A norm is its gain, followed by
// its bias. Biases and norms are float.
type parts struct {
	word, position, types, embedNorm int
	layers                           []layerParts
	size                             int
}

type layerParts struct {
	qkv, output, attentionNorm, up, down, outputNorm int
}

const (
	// partAlignment is the alignment of each part, in bytes.
	partAlignment = 256
	// tableRows is how many rows of an embedding table one job packs.
	tableRows = 4096
)

// partsOf places the parts one after the other.
func (l *layout) parts() parts {
	var p parts
	take := func(bytes int) int {
		at := p.size
		p.size = roundUp(at+bytes, partAlignment)
		return at
	}
	linear := func(in, out int) int { return take(2*in*out + 4*out) }
	norm := func() int { return take(2 * 4 * l.width) }
	c := &l.config
	p.word, p.position, p.types = take(2*c.VocabSize*l.width), take(2*c.MaxPositions*l.width), take(2*c.TypeVocabSize*l.width)
	p.embedNorm = norm()
	for range c.Layers {
		p.layers = append(p.layers, layerParts{
			qkv: linear(l.width, 3*l.context()), output: linear(l.context(), l.width), attentionNorm: norm(),
			up: linear(l.width, l.inner), down: linear(l.inner, l.width), outputNorm: norm(),
		})
	}
	return p
}

// pack writes w's tensors to dst, which is p.size bytes of zeros, in their places, and
// returns what comes nearest to half's limit of all that passes store in half. The error
// names a weight, or what can occur, that half cannot hold.
func (l *layout) pack(dst []byte, p *parts, w *model.Weights) (extent, error) {
	clear(dst)
	most := make([]extent, 1+len(w.Layers))
	c := &l.config
	jobs := []job{
		{"position embeddings", func(k *packer) { k.table(p.position, w.PositionEmbeddings, 0, c.MaxPositions) }},
		{"type embeddings", func(k *packer) { k.table(p.types, w.TypeEmbeddings, 0, c.TypeVocabSize) }},
		{"embeddings' norm", func(k *packer) {
			k.norm(p.embedNorm, w.EmbeddingNorm)
			most[0] = k.holds(extent{"the embeddings", outside, w.EmbeddingExtent()})
		}},
	}
	for lo := 0; lo < c.VocabSize; lo += tableRows { // half of all weights
		jobs = append(jobs, job{"word embeddings", func(k *packer) {
			k.table(p.word, w.WordEmbeddings, lo, min(lo+tableRows, c.VocabSize))
		}})
	}
	for i := range w.Layers {
		layer, at := &w.Layers[i], &p.layers[i]
		jobs = append(jobs, job{fmt.Sprintf("layer %d", i), func(k *packer) {
			heads := spread{size: c.HeadSize(), padded: l.headSize}
			qkv, context := 3*l.context(), l.context()
			// exp2 and not exp, and 1/√d, are in the queries' weights: exact in float, and
			// rounded to half once.
			k.linear(at.qkv, layer.Query, qkv, l.width, 0, heads, spread{}, queryScale(c.HeadSize()))
			k.linear(at.qkv, layer.Key, qkv, l.width, context, heads, spread{}, 1)
			k.linear(at.qkv, layer.Value, qkv, l.width, 2*context, heads, spread{}, 1)
			k.linear(at.output, layer.Output, l.width, context, 0, spread{}, heads, 1)
			k.norm(at.attentionNorm, layer.AttentionNorm)
			k.linear(at.up, layer.Up, l.inner, l.width, 0, spread{}, spread{}, 1)
			k.linear(at.down, layer.Down, l.width, l.inner, 0, spread{}, spread{}, 1)
			k.norm(at.outputNorm, layer.OutputNorm)
			most[1+i] = k.holds(layerExtent(w, i))
		}})
	}
	err := l.run(dst, jobs)
	return widest(most...), err
}

// job packs one part.
type job struct {
	name string
	do   func(k *packer)
}

// run runs jobs in parallel. It returns the error of the first job that failed, in the
// order of jobs.
func (l *layout) run(dst []byte, jobs []job) error {
	var (
		wg     sync.WaitGroup
		errs   = make([]error, len(jobs))
		places = make(chan struct{}, runtime.GOMAXPROCS(0))
		panics = make([]any, len(jobs))
	)
	for i, j := range jobs {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			debug.SetPanicOnFault(true) // as model.Weights.Guard does for the caller's goroutine
			defer func() { panics[i] = recover() }()
			k := packer{layout: l, dst: dst}
			if j.do(&k); k.err != nil {
				errs[i] = fmt.Errorf("%w: %s: %w", ErrModel, j.name, k.err)
			}
		})
	}
	wg.Wait()
	for i := range jobs {
		if panics[i] != nil {
			panic(panics[i]) // such as a fault in a mapped file, which Guard handles
		}
		if errs[i] != nil {
			return errs[i]
		}
	}
	return nil
}

// packer writes to the weights' buffer. It keeps the first error.
type packer struct {
	*layout
	dst []byte
	err error
}

// spread maps channels when heads are padded: channel c of head n, of size size, moves to
// n·padded + c. The zero spread leaves all channels where they are.
type spread struct{ size, padded int }

func (s spread) at(i int) int {
	if s.size == 0 {
		return i
	}
	return i/s.size*s.padded + i%s.size
}

// half writes v, rounded to half, at byte offset at.
func (k *packer) half(at int, v float32) {
	h := float16.Fromfloat32(v)
	if h.IsInf(0) && k.err == nil {
		k.err = fmt.Errorf("weight %g is beyond half's 65504", v)
	}
	binary.LittleEndian.PutUint16(k.dst[at:], h.Bits())
}

// holds keeps an error where half cannot hold what can occur.
func (k *packer) holds(e extent) extent {
	if err := e.fits(); err != nil && k.err == nil {
		k.err = err
	}
	return e
}

func (k *packer) float(at int, v float32) {
	binary.LittleEndian.PutUint32(k.dst[at:], math.Float32bits(v))
}

func (k *packer) floats(at int, t *tensor.Dense) {
	for i, v := range model.Float32s(t) {
		k.float(at+4*i, v)
	}
}

// table writes rows lo to hi of an embedding table.
func (k *packer) table(at int, t *tensor.Dense, lo, hi int) {
	values, h := model.Float32s(t), k.config.HiddenSize
	for r := lo; r < hi; r++ {
		row := at + 2*r*k.width
		for i, v := range values[r*h:][:h] {
			k.half(row+2*i, v)
		}
	}
}

func (k *packer) norm(at int, n model.Norm) {
	k.floats(at, n.Gain)
	k.floats(at+4*k.width, n.Bias)
}

// linear writes a layer, transposed and multiplied by scale, into a matrix of in×out and
// its bias: to the outputs from first on. outputs and inputs say where its channels go.
func (k *packer) linear(at int, l model.Linear, out, in, first int, outputs, inputs spread, scale float64) {
	w, b := model.Float32s(l.W), model.Float32s(l.B)
	columns := len(w) / len(b)
	for o, bias := range b {
		to := first + outputs.at(o)
		for i, v := range w[o*columns:][:columns] {
			k.half(at+2*(inputs.at(i)*out+to), float32(scale*float64(v)))
		}
		k.float(at+2*in*out+4*to, float32(scale*float64(bias)))
	}
}
