package workbench

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// Selection says which cases to measure. The zero value selects all kernels of MiniLM.
type Selection struct {
	Variants []kernels.Variant // empty: kernels.Variants()
	Shapes   []Shape           // if not empty, products of these shapes instead of MiniLM's kernels
	Focus    *regexp.Regexp    // if not nil, only cases whose Name it matches
	// Slow selects plain Go's cases at every shape, however long they take. Otherwise only
	// those that take it a moment are selected.
	Slow bool
}

// moment is work that plain Go can do in less than a tenth of a second.
const moment = 1 << 28

// The numbers of rows at which MiniLM's kernels are measured: one token; a short pair; a
// long one; a batch. Attention is measured at sequence lengths; one of them is the mean of
// MS MARCO's pairs, which is no round number.
var (
	rows    = []int{1, 32, 128, 2048}
	lengths = []int{32, 64, meanLength, 128, 256, 512}
)

const meanLength = 87

// The variants in which a kernel exists.
func anyFormat(kernels.Variant) bool   { return true }
func inFloat32(v kernels.Variant) bool { return v.Format == kernels.F32 }
func inInt8(v kernels.Variant) bool    { return v.Format == kernels.Int8 }
func narrowed(v kernels.Variant) bool  { return v.Format != kernels.F32 }
func attendsNarrow(v kernels.Variant) bool {
	return v.Format == kernels.BF16 && (v.ISA.AttendsBF16(heads) || v.ISA.AttendsTiles(heads))
}
func rounds(v kernels.Variant) bool  { return attendsNarrow(v) && !v.WritesBF16() }
func attends(v kernels.Variant) bool { return inFloat32(v) || attendsNarrow(v) }

// kernel is a kernel with all its shapes and the variants that have it.
type kernel struct {
	name, title string
	named       bool
	in, out     int
	rows        []int
	has         func(kernels.Variant) bool
	work        func(Shape, kernels.Variant) Work
	prepare     func(*operands, Shape, kernels.Variant) job
}

// Cases returns the selected cases: kernel after kernel, shape after shape, with the
// variants of a shape next to each other.
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

// miniLM returns the kernels of cross-encoder/ms-marco-MiniLM-L-6-v2, in the order of the
// forward pass.
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

// own returns products of the user's shapes.
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

// attention returns attention for one sequence, all heads, with Q, K and V of a token side
// by side.
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

// attentionOnTiles returns attention on tiles. Its queries are scaled, as the weights scale
// them there.
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

// rounded returns x rounded to bfloat16.
func rounded(isa kernels.ISA, x []float32) []uint16 {
	narrow := make([]uint16, len(x))
	isa.RoundBF16(narrow, x)
	return narrow
}

// round returns the kernel that rounds Q, K and V to bfloat16 for attention.
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
			// The result is the next call's operand; it stays normalized.
			x, r, norm := o.y[:s.Rows*s.Out], o.x[:s.Rows*s.In], o.norm(s.Out)
			return job{run: func() { v.ISA.AddNorm(x, r, norm, s.Rows) }}
		},
	}
}

// embedNorm returns the kernel that gathers rows from all over a table of the vocabulary's
// size.
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
