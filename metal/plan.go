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

	layer   int    // of the block that is being planned
	block   string // its name
	rows    int    // live ones: T, then S
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

// add appends a dispatch of a kernel; the operands are by buffer index.
func (p *plan) add(what string, k *variant, groups [2]int, c cost, operands ...operand) {
	s := step{kernel: k, layer: p.layer, block: p.block, what: what, groups: groups, cost: c}
	copy(s.operands[:], operands)
	p.steps = append(p.steps, s)
}

func at(pl place) operand       { return operand{pl, 0} }
func weight(offset int) operand { return operand{weights, offset} }

// linear adds a product of the live rows. What it does not use of a kernel's buffers
// is bound all the same, to what is bound already: so is the residual where it is the
// sum itself, by whose pointer the shader reads it.
func (p *plan) linear(what string, k *variant, in place, w int, out place) {
	y, sum := out, p.x
	if k.add {
		y, sum = wide, out
	}
	grid := [2]int{k.product.columns / k.columns, k.groups(p.rows)}
	p.add(what, k, grid, p.linearCost(k), at(in), weight(w), at(y), at(p.x), at(starts), at(sum))
}

func (p *plan) norm(gain int) {
	k := &p.kernels.norm
	p.add("norm", k, [2]int{k.groups(p.rows), 1}, p.normCost(), at(p.x), weight(gain), at(p.xh))
}

func (p *plan) embed() {
	p.layer, p.block = outside, "embed"
	k, w := &p.kernels.embed, p.parts
	p.add("embed+norm", k, [2]int{k.groups(p.rows), 1}, p.embedCost(),
		at(tokens), weight(w.word), weight(w.position), weight(w.types), weight(w.embedNorm), at(p.x), at(p.xh))
}

func (p *plan) attention(layer int, keep model.Rows) {
	p.layer, p.block = layer, "attention"
	k, w, heads := p.kernels, &p.parts.layers[layer], p.layout.heads
	if keep == model.AllRows {
		p.linear("linear qkv", &k.qkv, p.xh, w.qkv, wide)
		p.add("attention", &k.attention, [2]int{p.items, heads}, p.attentionCost(), at(wide), at(items), at(found))
		p.linear("linear output", &k.output, found, w.output, p.x)
	} else {
		// K and V of every token; Q of the first is the attention's own matter.
		p.linear("linear kv", &k.keyValue, p.xh, w.qkv, wide)
		p.rows = p.Len()
		p.add("attention cls", &k.attentionCls, [2]int{p.rows, heads}, p.attentionClsCost(), at(p.xh), weight(w.qkv), at(wide), at(starts), at(found))
		p.linear("linear output", &k.outputCls, found, w.output, streamCls)
		p.x, p.xh = streamCls, streamClsH
	}
	p.norm(w.attentionNorm)
}

func (p *plan) feedForward(layer int) {
	p.layer, p.block = layer, "feed-forward"
	k, w := p.kernels, &p.parts.layers[layer]
	p.linear("linear+gelu up", &k.up, p.xh, w.up, wide)
	p.linear("linear down", &k.down, wide, w.down, p.x)
	p.norm(w.outputNorm)
}

func (p *plan) classify() {
	p.layer, p.block = outside, "classify"
	k := &p.kernels.head
	if p.x == stream {
		k = &p.kernels.headGather
	}
	p.add("head", k, [2]int{p.Len(), 1}, p.headCost(), at(p.x), weight(p.parts.head), at(starts), at(scores))
}
