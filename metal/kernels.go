package metal

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// kernel is a row of the table of kernels: the only place beside the shaders
// themselves where their names, buffer indices and threads stand.
type kernel struct {
	name     string   // in the shaders; %d is the size of a head
	operands []string // what it calls its buffers, by their index
	threads  int      // of a threadgroup
	rows     int      // that a threadgroup computes: tokens, sequences or items
	columns  int      // and outputs; 0: all there are
}

var (
	embedNorm    = kernel{"embed_norm", []string{"tokens", "word", "position", "type", "gain", "x", "xh"}, 128, 4, 0}
	attention    = kernel{"attention_%d", []string{"qkv", "items", "context"}, 128, 1, 0}
	attentionCls = kernel{"attention_cls_%d", []string{"x", "w", "qkv", "starts", "context"}, 32, 1, 0}
	norm         = kernel{"norm", []string{"x", "gain", "xh"}, 128, 4, 0}
	head         = kernel{"head", []string{"x", "w", "starts", "scores"}, 256, 1, 0}
	probe        = kernel{"probe", []string{"found"}, 32, 1, 0}
	peak         = kernel{"peak", []string{"found"}, 128, 1, 0}
)

// kernel is the linear kernel of a tile.
func (t Tile) kernel() kernel {
	operands := []string{"x", "w", "y", "residual", "starts", "sum"}
	return kernel{t.String(), operands, 32 * t.Simdgroups[0] * t.Simdgroups[1], t.Rows, t.Columns}
}

// mostOperands is how many a kernel has at most.
const mostOperands = 7

// kernels are all of the table, each in every variant that the shaders have.
func kernels() []kernel {
	all := []kernel{embedNorm, norm, head, probe, peak}
	for _, size := range headSizes {
		all = append(all, attention.of(size), attentionCls.of(size))
	}
	for _, t := range Tiles {
		all = append(all, t.kernel())
	}
	return all
}

// of is the kernel for a size of heads.
func (k kernel) of(headSize int) kernel {
	k.name = fmt.Sprintf(k.name, headSize)
	return k
}

// groups returns how many threadgroups compute n rows.
func (k *kernel) groups(n int) int { return (n + k.rows - 1) / k.rows }

// queryBlock is how many queries of a sequence an item of attention is.
const queryBlock = 32

// variant is a kernel with values for its function constants.
type variant struct {
	kernel
	constants
	pipeline gpu.Pipeline // once compiled
}

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

// kernelSet are the kernels that a model's plans are made of.
type kernelSet struct {
	embed, norm, attention, attentionCls       variant
	head, headGather                           variant
	qkv, keyValue, output, outputCls, up, down variant
}

// kernels specialises what a model needs. Mapped says where a fragment's elements
// are: see common.metal.
func (l *layout) kernels(t *Tiling, mapped bool) *kernelSet {
	sizes := constants{hidden: l.config.HiddenSize, width: l.width, heads: l.heads, eps: float32(l.config.LayerNormEps), mapped: mapped}
	of := func(k kernel, set func(c *constants)) variant {
		c := sizes
		set(&c)
		return variant{kernel: k, constants: c}
	}
	plain := func(*constants) {}
	gather := func(c *constants) { c.gather = true }
	qkv := func(c *constants) { c.in, c.stride = l.width, 3*l.context() }
	output := func(c *constants) { c.in, c.stride, c.add = l.context(), l.width, true }
	return &kernelSet{
		embed: of(embedNorm, plain), norm: of(norm, plain),
		attention: of(attention.of(l.headSize), plain), attentionCls: of(attentionCls.of(l.headSize), plain),
		head: of(head, plain), headGather: of(head, gather),
		qkv:       of(t.QKV.kernel(), qkv),
		keyValue:  of(t.QKV.kernel(), func(c *constants) { qkv(c); c.first = l.context() }),
		output:    of(t.Output.kernel(), output),
		outputCls: of(t.Output.kernel(), func(c *constants) { output(c); gather(c) }),
		up:        of(t.Up.kernel(), func(c *constants) { c.in, c.stride, c.gelu = l.width, l.inner, true }),
		down:      of(t.Down.kernel(), func(c *constants) { c.in, c.stride, c.add = l.inner, l.width, true }),
	}
}

func (k *kernelSet) each() []*variant {
	return []*variant{&k.embed, &k.norm, &k.attention, &k.attentionCls, &k.head, &k.headGather,
		&k.qkv, &k.keyValue, &k.output, &k.outputCls, &k.up, &k.down}
}

func (k *kernelSet) compile(d gpu.Driver) error {
	for _, s := range k.each() {
		if err := s.compile(d); err != nil {
			return err
		}
	}
	return nil
}

func (k *kernelSet) release() {
	for _, s := range k.each() {
		s.release()
	}
}
