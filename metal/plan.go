package metal

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/model"
)

// place is a buffer by what is in it.
type place int

const (
	none place = iota

	weights // the packed model

	// A slot's: what the processor writes, and reads back.
	tokens // of each row {id, position + type·2¹⁶}
	starts // of each sequence the first row, and the end
	items  // of attention: {first row, length, first query, 0}
	scores // a float a sequence

	// The scratch, which batches use one after the other. T tokens, S sequences.
	stream    // T×width float, the residual stream x
	streamH   // T×width half, the same
	wide      // T×3·context half: Q, K and V; then T×inner half
	found     // T×context half, what the heads found
	streamCls // S×width float: x of the [CLS] rows
	streamClsH

	placeCount
)

// operand is what a kernel finds at a buffer index.
type operand struct {
	place  place
	offset int // bytes
}

// step is one dispatch of a plan.
type step struct {
	kernel   *variant
	layer    int
	block    string // as in model.KernelTime
	what     string // the kernel's name there
	groups   [2]int
	operands [mostOperands]operand // by buffer index
	rows     int                   // that count
	cost
}

// name is for errors.
func (s *step) name() string {
	if s.layer < 0 {
		return s.what
	}
	return fmt.Sprintf("layer %d %s", s.layer, s.what)
}

// plan is a batch's way through the model as a list of dispatches. It is made anew,
// in the same memory, for each batch.
type plan struct {
	*model.Batch
	layout  *layout
	parts   *parts
	kernels *kernelSet
	steps   []step

	rows    int // live ones: T, then S
	x, xh   place
	squares int64 // the sum of the sequences' squared lengths
	items   int   // of attention
}

// outside is the layer of what is in none.
const outside = -1

// begin makes p the plan of b, without steps.
func (p *plan) begin(b *model.Batch) {
	p.Batch, p.steps, p.rows, p.x, p.xh = b, p.steps[:0], b.Tokens(), stream, streamH
	p.squares, p.items = 0, 0
	for s := range b.Len() {
		lo, hi := b.Bounds(s)
		p.squares += int64(hi-lo) * int64(hi-lo)
		p.items += (hi - lo + queryBlock - 1) / queryBlock
	}
}

// add appends a dispatch of a kernel over rows; the operands are by buffer index.
func (p *plan) add(layer int, block, what string, k *variant, groups [2]int, rows int, c cost, operands ...operand) {
	s := step{kernel: k, layer: layer, block: block, what: what, groups: groups, rows: rows, cost: c}
	copy(s.operands[:], operands)
	p.steps = append(p.steps, s)
}

func at(pl place) operand             { return operand{pl, 0} }
func weight(offset int) operand       { return operand{weights, offset} }
func across(n int) (grid [2]int)      { return [2]int{n, 1} }
func (p *plan) headGrid(n int) [2]int { return [2]int{n, p.layout.heads} }

// linear adds a product of rows; outputs are those to compute, padded. One that adds
// to the residual stream does not write to out, and one that does not leaves residual
// and sum alone: they are there because a kernel's buffers must be.
func (p *plan) linear(layer int, block, what string, k *variant, rows, outputs int, c cost, in place, w int, out place, residual, sum place) {
	grid := [2]int{outputs / k.columns, k.groups(rows)}
	p.add(layer, block, what, k, grid, rows, c, at(in), weight(w), at(out), at(residual), at(starts), at(sum))
}

func (p *plan) norm(layer int, block string, gain int) {
	p.add(layer, block, "norm", &p.kernels.norm, across(p.kernels.norm.groups(p.rows)), p.rows, p.normCost(), at(p.x), weight(gain), at(p.xh))
}

func (p *plan) embed() {
	k := &p.kernels.embed
	p.add(outside, "embed", "embed+norm", k, across(k.groups(p.rows)), p.rows, p.embedCost(),
		at(tokens), weight(p.parts.word), weight(p.parts.position), weight(p.parts.types), weight(p.parts.embedNorm), at(p.x), at(p.xh))
}

func (p *plan) attention(layer int, keep model.Rows) {
	const block = "attention"
	w, k, context, h := &p.parts.layers[layer], p.kernels, p.layout.context(), p.layout.config.HiddenSize
	if keep == model.AllRows {
		p.linear(layer, block, "linear qkv", &k.qkv, p.rows, 3*context, linearCost(p.rows, h, 3*h, false), p.xh, w.qkv, wide, p.x, p.x)
		p.add(layer, block, "attention", &k.attention, p.headGrid(p.items), p.rows, p.attentionCost(p.squares),
			at(wide), at(items), at(found))
		p.linear(layer, block, "linear output", &k.output, p.rows, p.layout.width, linearCost(p.rows, h, h, true), found, w.output, wide, p.x, p.x)
	} else {
		// K and V of every token; Q of the first is the attention's own matter.
		p.linear(layer, block, "linear kv", &k.keyValue, p.rows, 2*context, linearCost(p.rows, h, 2*h, false), p.xh, w.qkv, wide, p.x, p.x)
		p.rows = p.Len()
		p.add(layer, block, "attention cls", &k.attentionCls, p.headGrid(p.rows), p.rows, p.attentionClsCost(),
			at(p.xh), weight(w.qkv), at(wide), at(starts), at(found))
		p.linear(layer, block, "linear output", &k.outputCls, p.rows, p.layout.width, linearCost(p.rows, h, h, true), found, w.output, wide, p.x, streamCls)
		p.x, p.xh = streamCls, streamClsH
	}
	p.norm(layer, block, w.attentionNorm)
}

func (p *plan) feedForward(layer int) {
	const block = "feed-forward"
	w, k, h, inner := &p.parts.layers[layer], p.kernels, p.layout.config.HiddenSize, p.layout.config.IntermediateSize
	p.linear(layer, block, "linear+gelu up", &k.up, p.rows, p.layout.inner, linearCost(p.rows, h, inner, false), p.xh, w.up, wide, p.x, p.x)
	p.linear(layer, block, "linear down", &k.down, p.rows, p.layout.width, linearCost(p.rows, inner, h, true), wide, w.down, wide, p.x, p.x)
	p.norm(layer, block, w.outputNorm)
}

func (p *plan) classify() {
	k := &p.kernels.head
	if p.x == stream {
		k = &p.kernels.headGather
	}
	p.add(outside, "classify", "head", k, across(p.Len()), p.Len(), p.headCost(), at(p.x), weight(p.parts.head), at(starts), at(scores))
}
