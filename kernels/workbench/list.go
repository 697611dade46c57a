package workbench

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// Selection says which cases are wanted. The zero value is all of MiniLM's.
type Selection struct {
	Variants []kernels.Variant // none: kernels.Variants()
	Shapes   []Shape           // products of these shapes instead of MiniLM's kernels
	Focus    *regexp.Regexp    // only cases with a match in their Name
	// Slow says that plain Go's cases are wanted at every shape, however long
	// they take; otherwise only at those that take it a moment.
	Slow bool
}

// moment is the work that plain Go does in less than a tenth of a second.
const moment = 1 << 28

// The numbers of rows that MiniLM's kernels are measured at: one token; a short
// pair; a long one; a batch of them. Attention is measured at lengths, the mean of
// MS MARCO's pairs among them, which is no multiple of anything.
var (
	rows    = []int{1, 32, 128, 2048}
	lengths = []int{32, 64, meanLength, 128, 256, 512}
)

const meanLength = 87

// What a kernel is there for.
func anyFormat(kernels.Variant) bool   { return true }
func inFloat32(v kernels.Variant) bool { return v.Format == kernels.F32 }
func inInt8(v kernels.Variant) bool    { return v.Format == kernels.Int8 }
func narrowed(v kernels.Variant) bool  { return v.Format != kernels.F32 }
func attendsNarrow(v kernels.Variant) bool {
	return v.Format == kernels.BF16 && (v.ISA.AttendsBF16(heads) || v.ISA.AttendsTiles(heads))
}
func rounds(v kernels.Variant) bool  { return attendsNarrow(v) && !v.WritesBF16() }
func attends(v kernels.Variant) bool { return inFloat32(v) || attendsNarrow(v) }

// kernel is a kernel with all its shapes and variants.
type kernel struct {
	name, title string
	named       bool
	in, out     int
	rows        []int
	has         func(kernels.Variant) bool
	work        func(Shape, kernels.Variant) Work
	prepare     func(*operands, Shape, kernels.Variant) job
}

// Cases returns the cases of a selection: kernel after kernel, shape after
// shape, the variants of a shape side by side.
func Cases(s Selection) []*Case {
	variants := s.Variants
	if len(variants) == 0 {
		variants = kernels.Variants()
	}
	list := miniLM()
	if len(s.Shapes) > 0 {
		list = own(s.Shapes)
	}
	var all []*Case
	for _, k := range list {
		for _, n := range k.rows {
			for _, v := range variants {
				if !k.has(v) {
					continue
				}
				c := k.at(Shape{n, k.in, k.out}, v)
				if v.ISA == kernels.Generic && c.Work.FLOPs > moment && !s.Slow {
					continue
				}
				if s.Focus == nil || s.Focus.MatchString(c.Name()) {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

func (k kernel) at(s Shape, v kernels.Variant) *Case {
	return &Case{
		Kernel: k.name, Title: k.title, Variant: v, Shape: s, Work: k.work(s, v), named: k.named,
		prepare: func(o *operands) job { return k.prepare(o, s, v) },
	}
}

// miniLM are the kernels of cross-encoder/ms-marco-MiniLM-L-6-v2, in the order
// of the forward pass.
func miniLM() []kernel {
	return []kernel{
		embedNorm(),
		narrow(width, nothing),
		keeping(narrow(width, kept)),
		product("qkv", plain, width, 3*width, nothing),
		keeping(product("qkv", plain, width, 3*width, kept)),
		narrowProduct("qkv-bf16", narrowed32, width, 3*width, kernels.Variant.WritesBF16),
		round(),
		attention(),
		product("output", plain, width, width, nothing),
		product("output-norm", withNorm, width, width, nothing),
		product("up", plain, width, inner, nothing),
		product("up-gelu", withGELU, width, inner, nothing),
		keeping(product("up-gelu", withGELU, width, inner, kept)),
		narrowProduct("up-gelu-bf16", narrowedGELU, width, inner, kernels.Variant.WritesInput),
		narrow(inner, nothing),
		product("down", plain, inner, width, nothing),
		product("down-norm", withNorm, inner, width, nothing),
		gelu(),
		addNorm(),
	}
}

// own are products of other shapes.
func own(shapes []Shape) []kernel {
	var all []kernel
	for _, s := range shapes {
		for _, e := range []epilogue{plain, withGELU, withNorm} {
			k := product("linear"+e.suffix, e, s.In, s.Out, nothing)
			k.rows, k.named = []int{s.Rows}, true
			all = append(all, k)
		}
	}
	return all
}

// attention is every head of one sequence, Q, K and V of a token side by side.
func attention() kernel {
	return kernel{
		name: "attention", title: fmt.Sprintf("one sequence, %d heads of %d", heads.Count, heads.Size), in: 3 * width, out: width, rows: lengths, has: attends,
		work: func(s Shape, v kernels.Variant) Work {
			bytes := int64(s.Rows * (s.In*size(v.Format) + s.Out*float))
			return Work{4 * int64(s.Rows) * int64(s.Rows) * int64(s.Out), bytes, bytes}
		},
		prepare: func(o *operands, s Shape, v kernels.Variant) job {
			qkv, y := o.x[:s.Rows*s.In], o.y[:s.Rows*s.Out]
			if v.Format == kernels.BF16 && v.ISA.AttendsTiles(heads) {
				return attentionOnTiles(qkv, y, s, v)
			}
			scratch := make([]float32, v.ISA.AttentionScratch(s.Rows, heads))
			if v.Format == kernels.BF16 {
				qkv := rounded(v.ISA, qkv)
				return job{run: func() {
					v.ISA.AttentionBF16(y, qkv, qkv[s.Out:], qkv[2*s.Out:], s.Rows, s.Rows, s.In, s.In, heads, scratch)
				}}
			}
			return job{run: func() {
				v.ISA.Attention(y, qkv, qkv[s.Out:], qkv[2*s.Out:], s.Rows, s.Rows, s.In, s.In, heads, scratch)
			}}
		},
	}
}

// attentionOnTiles has queries as the weights make them there.
func attentionOnTiles(qkv, y []float32, s Shape, v kernels.Variant) job {
	qkv = slices.Clone(qkv)
	scale := kernels.TilesQueryScale(heads)
	for i := range qkv {
		if i%s.In < s.Out {
			qkv[i] *= scale
		}
	}
	narrow := rounded(v.ISA, qkv)
	scratch := make([]float32, kernels.AttentionTilesScratch(s.Rows, heads))
	return job{run: func() {
		v.ISA.AttentionTiles(y, narrow, narrow[s.Out:], narrow[2*s.Out:], s.Rows, s.Rows, s.In, s.In, heads, scratch)
	}}
}

// rounded returns x in bfloat16.
func rounded(isa kernels.ISA, x []float32) []uint16 {
	narrow := make([]uint16, len(x))
	isa.RoundBF16(narrow, x)
	return narrow
}

// round makes Q, K and V bfloat16 for attention.
func round() kernel {
	const in = 3 * width
	return kernel{
		name: "round-qkv", title: fmt.Sprintf("float32 to bfloat16, rows of %d", in), in: in, out: in, rows: rows, has: rounds,
		work: func(s Shape, v kernels.Variant) Work {
			bytes := int64(s.Rows * s.In * (float + size(v.Format)))
			return Work{0, bytes, bytes}
		},
		prepare: func(o *operands, s Shape, v kernels.Variant) job {
			x := o.x[:s.Rows*s.In]
			narrow := rounded(v.ISA, x)
			return job{run: func() { v.ISA.RoundBF16(narrow, x) }}
		},
	}
}

func gelu() kernel {
	return kernel{
		name: "gelu", title: fmt.Sprintf("rows of %d", inner), in: inner, out: inner, rows: rows, has: inFloat32,
		work: func(s Shape, _ kernels.Variant) Work {
			values := int64(s.Rows * s.Out)
			return Work{geluFLOPs * values, 2 * float * values, float * values}
		},
		prepare: func(o *operands, s Shape, v kernels.Variant) job {
			x, y := o.x[:s.Rows*s.In], o.y[:s.Rows*s.Out]
			return job{run: func() { v.GELU(y) }, reset: func() { copy(y, x) }}
		},
	}
}

func addNorm() kernel {
	return kernel{
		name: "addnorm", title: fmt.Sprintf("LayerNorm(x + r), rows of %d", width), in: width, out: width, rows: rows, has: inFloat32,
		work: func(s Shape, _ kernels.Variant) Work {
			values, gains := int64(s.Rows*s.Out), int64(2*s.Out)
			return Work{normFLOPs * values, float * (3*values + gains), float * (2*values + gains)}
		},
		prepare: func(o *operands, s Shape, v kernels.Variant) job {
			// The result is an operand of the next call; it stays normalized.
			x, r, norm := o.y[:s.Rows*s.Out], o.x[:s.Rows*s.In], o.norm(s.Out)
			return job{run: func() { v.ISA.AddNorm(x, r, norm, s.Rows) }}
		},
	}
}

// embedNorm gathers rows from all over a table of the vocabulary's size.
func embedNorm() kernel {
	return kernel{
		name: "embednorm", title: fmt.Sprintf("LayerNorm(word + type + position), rows of %d", width), in: width, out: width, rows: rows, has: inFloat32,
		work: func(s Shape, _ kernels.Variant) Work {
			values, gains := int64(s.Rows*s.Out), int64(2*s.Out)
			types := int64(min(2, s.Rows) * s.Out)
			bytes := float * (3*values + types + gains)
			return Work{(1 + normFLOPs) * values, bytes, bytes}
		},
		prepare: func(o *operands, s Shape, v kernels.Variant) job {
			e, ids, types := o.embeddings(s.Rows)
			y := o.y[:s.Rows*s.Out]
			return job{run: func() { v.ISA.EmbedNorm(y, ids, types, 0, e) }}
		},
	}
}
