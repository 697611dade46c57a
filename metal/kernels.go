package metal

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// kernel is a row of the table of kernels. This table and the shaders are the only places
// that have their names, buffer indices and numbers of threads.
type kernel struct {
	name     string   // as in the shaders; %d is the size of a head
	operands []string // the names of its buffers, in the order of their indices
	threads  int      // threads of a threadgroup
	rows     int      // rows that a threadgroup computes: tokens, sequences or items of attention
	columns  int      // outputs that a threadgroup computes; 0: all
}

var (
	embedNorm    = kernel{"embed_norm", []string{"tokens", "word", "position", "type", "gain", "x", "xh"}, 128, 4, 0}
	attention    = kernel{"attention_%d", []string{"qkv", "items", "context"}, 128, 1, 0}
	attentionCls = kernel{"attention_cls_%d", []string{"x", "w", "qkv", "starts", "context"}, 32, 1, 0}
	norm         = kernel{"norm", []string{"x", "gain", "xh"}, 128, 4, 0}
	pool         = kernel{"pool", []string{"x", "starts", "weights", "pooled"}, 32, 1, 32}
	probe        = kernel{"probe", []string{"found"}, 32, 1, 0}
	peak         = kernel{"peak", []string{"found"}, 128, 1, 0}
)

// kernel returns the linear kernel of a tile.
func (t Tile) kernel() kernel {
	operands := []string{"x", "w", "y", "residual", "starts", "sum"}
	return kernel{t.String(), operands, 32 * t.Simdgroups[0] * t.Simdgroups[1], t.Rows, t.Columns}
}

// mostOperands is the largest number of operands of a kernel.
const mostOperands = 7

// kernels returns all kernels, each in every variant that the shaders have.
func kernels() []kernel {
	all := []kernel{embedNorm, norm, pool, probe, peak}
	for _, size := range headSizes {
		all = append(all, attention.of(size), attentionCls.of(size))
	}
	for _, t := range Tiles {
		all = append(all, t.kernel())
	}
	return all
}

// of returns the kernel for a size of heads.
func (k kernel) of(headSize int) kernel {
	k.name = fmt.Sprintf(k.name, headSize)
	return k
}

// groups returns how many threadgroups compute n rows.
func (k *kernel) groups(n int) int { return (n + k.rows - 1) / k.rows }

// queryBlock is how many queries of a sequence one item of attention has.
const queryBlock = 32

// variant is a kernel with values for its function constants.
type variant struct {
	kernel
	constants
	shape    string       // in the model's sizes, for model.KernelTime
	tile     Tile         // of a linear kernel
	product  product      // of a linear kernel
	pipeline gpu.Pipeline // once compiled
}

// product is the size of a linear layer: the model's inputs and outputs, and the outputs
// that are computed, which include padding.
type product struct{ in, out, columns int }

func (s *variant) compile(d gpu.Driver) (err error) {
	s.pipeline, err = d.NewPipeline(gpu.Function{Name: s.name, Constants: s.list(), Threads: s.threads})
	if err != nil {
		return fmt.Errorf("kernel %s: %w", s.name, err)
	}
	return nil
}

func (s *variant) release() {
	if s.pipeline != nil {
		s.pipeline.Release()
		s.pipeline = nil
	}
}

// kernelSet are the kernels that a model's plans use.
type kernelSet struct {
	embed, norm, attention, attentionCls       variant
	poolCls                                    variant    // of [CLS] rows
	pools                                      [5]variant // of all rows, by model.ReduceKind
	qkv, keyValue, output, outputCls, up, down variant
}

// kernels returns the kernels that a model needs. mapped says whether the elements of a
// fragment are where the shaders expect them; see common.metal.
func (l *layout) kernels(t *Tiling, mapped bool) *kernelSet {
	h, inner, context := l.config.HiddenSize, l.config.IntermediateSize, l.context()
	sizes := constants{hidden: h, width: l.width, heads: l.heads, eps: float32(l.config.LayerNormEps), mapped: mapped}
	rows := func(k kernel) variant { return variant{kernel: k, constants: sizes, shape: fmt.Sprint(h)} }
	heads := func(k kernel) variant {
		v := rows(k.of(l.headSize))
		v.shape = fmt.Sprintf("%dx%d", l.config.Heads, l.config.HeadSize())
		return v
	}
	linear := func(t Tile, p product, in, stride int, set func(c *constants)) variant {
		v := variant{kernel: t.kernel(), constants: sizes, shape: fmt.Sprintf("%dx%d", p.in, p.out), tile: t, product: p}
		v.in, v.stride = in, stride
		set(&v.constants)
		return v
	}
	k := &kernelSet{
		embed: rows(embedNorm), norm: rows(norm), attention: heads(attention), attentionCls: heads(attentionCls), poolCls: rows(pool),
		qkv:       linear(t.QKV, product{h, 3 * h, 3 * context}, l.width, 3*context, func(*constants) {}),
		keyValue:  linear(t.QKV, product{h, 2 * h, 2 * context}, l.width, 3*context, func(c *constants) { c.first = context }),
		output:    linear(t.Output, product{h, h, l.width}, context, l.width, func(c *constants) { c.add = true }),
		outputCls: linear(t.Output, product{h, h, l.width}, context, l.width, func(c *constants) { c.add, c.gather = true, true }),
		up:        linear(t.Up, product{h, inner, l.inner}, l.width, l.inner, func(c *constants) { c.gelu = true }),
		down:      linear(t.Down, product{inner, h, l.width}, l.inner, l.width, func(c *constants) { c.add = true }),
	}
	for kind := range k.pools {
		k.pools[kind] = rows(pool)
		k.pools[kind].gather, k.pools[kind].kind = true, kind
	}
	return k
}

// used is a kernel of a set, and what a model uses it for.
type used struct {
	*variant
	use string
}

func (k *kernelSet) each() []used {
	return []used{{&k.embed, "embeddings"}, {&k.norm, "norm"}, {&k.attention, "attention"}, {&k.attentionCls, "attention of [CLS]"},
		{&k.poolCls, "pool [CLS]"}, {&k.pools[model.First], "pool first"}, {&k.pools[model.Last], "pool last"},
		{&k.pools[model.Max], "pool max"}, {&k.pools[model.Sum], "pool sum"}, {&k.pools[model.MaxOf], "pool max of some"},
		{&k.qkv, "qkv"}, {&k.keyValue, "key, value"}, {&k.output, "output"},
		{&k.outputCls, "output of [CLS]"}, {&k.up, "up"}, {&k.down, "down"}}
}

// compile compiles all of them, or none and says which one does not.
func (k *kernelSet) compile(d gpu.Driver) (broken *variant, err error) {
	for _, s := range k.each() {
		if err := s.compile(d); err != nil {
			k.release()
			return s.variant, err
		}
	}
	return nil, nil
}

func (k *kernelSet) release() {
	for _, s := range k.each() {
		s.release()
	}
}
