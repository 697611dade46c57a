package metal

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/model"
)

// place names a buffer by its contents.
type place int

const (
	none place = iota

	weights // the packed model

	// In a slot: what the processor writes, and what it reads back.
	tokens  // for each row {id, position + type·2¹⁶}
	starts  // the first row of each sequence, and then the number of rows
	items   // for attention: {first row, length, first query, 0}
	factors // for each Sum a float for each row, its weight
	pooled  // for each reduction S×width float

	// In the scratch memory, which batches use one after the other. T tokens, S sequences.
	stream    // T×width float, the residual stream x
	streamH   // T×width half, the stream rounded to half
	wide      // T×3·context half: Q, K and V; then T×inner half
	found     // T×context half, what attention writes
	streamCls // S×width float, the stream of the [CLS] rows
	streamClsH

	placeCount
)

// operand is a buffer, and an offset in it, that a kernel gets at a buffer index.
type operand struct {
	place  place
	offset int // bytes
}

// step is one dispatch of a plan.
type step struct {
	kernel   *variant
	layer    int
	block    string // as in model.KernelTime
	what     string // the kernel, as in model.KernelTime
	groups   [2]int
	operands [mostOperands]operand // by buffer index
	cost
}

// name returns the step's name for errors.
func (s *step) name() string {
	if s.layer < 0 {
		return s.what
	}
	return fmt.Sprintf("layer %d %s", s.layer, s.what)
}

// plan is the list of dispatches that takes a batch through the model. Each batch gets a
// new plan in the same memory.
type plan struct {
	*model.Batch
	layout  *layout
	parts   *parts
	kernels *kernelSet
	steps   []step

	layer   int    // of the current block
	block   string // name of the current block
	rows    int    // number of live rows: T, then S
	x, xh   place
	squares int64 // the sum of the sequences' squared lengths
	items   int   // number of attention's items
}

// outside is the layer number of steps that belong to no layer.
const outside = -1

// begin makes p an empty plan for b.
func (p *plan) begin(b *model.Batch) {
	p.Batch, p.steps, p.rows, p.x, p.xh = b, p.steps[:0], b.Tokens(), stream, streamH
	p.squares, p.items = 0, 0
	for s := range b.Len() {
		lo, hi := b.Bounds(s)
		p.squares += int64(hi-lo) * int64(hi-lo)
		p.items += (hi - lo + queryBlock - 1) / queryBlock
	}
}

// add appends a dispatch of a kernel. operands are in the order of the buffer indices.
func (p *plan) add(what string, k *variant, groups [2]int, c cost, operands ...operand) {
	s := step{kernel: k, layer: p.layer, block: p.block, what: what, groups: groups, cost: c}
	copy(s.operands[:], operands)
	p.steps = append(p.steps, s)
}

func at(pl place) operand       { return operand{pl, 0} }
func weight(offset int) operand { return operand{weights, offset} }

// linear appends a product of the live rows. Buffers that the kernel does not use must be
// bound, too; they are bound to buffers that it does use. This includes residual if the
// product is added to x in place: then the shader reads x through the pointer sum.
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
		// K and V of every token. The kernel attention cls computes Q of the [CLS] rows
		// itself.
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

// pool appends the reductions. The pass then has only these rows to read back.
func (p *plan) pool(all []model.Reduce) {
	p.layer, p.block = outside, "pool"
	lists := 0
	for i, r := range all {
		k := &p.kernels.pools[r.Kind]
		if p.x == streamCls {
			k = &p.kernels.poolCls
		}
		weights := at(starts) // not read
		if r.Kind.Weighted() {
			weights = operand{factors, lists * p.factorBytes()}
			lists++
		}
		grid := [2]int{k.groups(p.Len()), p.layout.width / k.columns}
		p.add("pool", k, grid, p.poolCost(r.Kind), at(p.x), at(starts), weights, operand{pooled, i * p.pooledBytes()})
	}
}

// factorBytes returns the memory of the weights of one reduction.
func (p *plan) factorBytes() int { return 4 * rowsFor(p.Tokens()) }

// pooledBytes returns the memory of one reduction's rows.
func (p *plan) pooledBytes() int { return 4 * p.layout.width * p.Len() }
