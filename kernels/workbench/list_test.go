package workbench

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
)

func TestCases(t *testing.T) {
	all := Cases(Selection{Slow: true})
	var names []string
	shapes := map[string][]int{}
	for _, c := range all {
		names = append(names, c.Name())
		if c.Variant.ISA == kernels.Generic && (c.Variant.Format == kernels.F32 || c.Variant.Format == kernels.Int8 && regexp.MustCompile("^input-|-keep$").MatchString(c.Kernel)) {
			shapes[c.Kernel] = append(shapes[c.Kernel], c.Shape.Rows)
		}
		if counts := !regexp.MustCompile("^(input|round)-").MatchString(c.Kernel); counts != (c.Work.FLOPs > 0) || c.Work.Bytes < c.Work.Footprint || c.Work.Footprint < 1 || c.Title == "" {
			t.Errorf("%s: %+v", c.Name(), c)
		}
	}
	// benchstat tells cases apart by their names.
	if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("two cases of one name: %q", names)
	}
	format := regexp.MustCompile(`^Kernel(/[a-z]+=[a-z0-9-]+)+$`)
	for _, name := range names {
		if !format.MatchString(name) {
			t.Errorf("name %q", name)
		}
	}
	m, lengths := "[1 32 128 2048]", "[32 64 87 128 256 512]"
	for kernel, want := range map[string]string{
		"qkv": m, "output": m, "output-norm": m, "up": m, "up-gelu": m, "down": m, "down-norm": m,
		"attention": lengths, "gelu": m, "addnorm": m, "embednorm": m,
		"input-384": m, "input-1536": m,
		"input-384-keep": m, "qkv-keep": m, "up-gelu-keep": m,
	} {
		if got := fmt.Sprint(shapes[kernel]); got != want {
			t.Errorf("%s: rows %s, want %s", kernel, got, want)
		}
		delete(shapes, kernel)
	}
	if len(shapes) > 0 {
		t.Errorf("also %v", shapes)
	}
	for _, isa := range kernels.Permitted() {
		if !slices.ContainsFunc(all, func(c *Case) bool { return c.Variant.ISA == isa }) {
			t.Errorf("no case of %v", isa)
		}
	}
}

// Plain Go would take all the time of a run that is not about it.
func TestSlowCases(t *testing.T) {
	rows := map[string]int{}
	for _, c := range Cases(Selection{}) {
		if c.Variant.ISA == kernels.Generic {
			rows[c.Kernel] = max(rows[c.Kernel], c.Shape.Rows)
		} else if len(Cases(Selection{Focus: regexp.MustCompile("^" + c.Name() + "$"), Slow: true})) != 1 {
			t.Errorf("%s is not among all", c.Name())
		}
	}
	if rows["qkv"] != 128 || rows["attention"] != 256 || rows["addnorm"] != 2048 {
		t.Errorf("plain Go's largest: %v", rows)
	}
}

// What is counted, by hand: 2 rows of 5 become 7, and the rest at a length.
func TestWork(t *testing.T) {
	of := func(flops, bytes, footprint int64) Work { return Work{flops, bytes, footprint} }
	for _, test := range []struct {
		kernel string
		format kernels.Format
		rows   int
		want   Work
	}{
		{"linear", kernels.F32, 2, of(140, 4*(10+35+7+14), 4*(10+35+7+14))},
		{"linear-gelu", kernels.F32, 2, of(140, 4*(10+35+7+14), 4*(10+35+7+14))},
		{"linear-norm", kernels.F32, 2, of(140, 4*(10+35+7+2*14+14), 4*(10+35+7+14+14))},
		{"linear", kernels.BF16, 2, of(140, 2*(10+35)+4*(7+14), 2*(10+35)+4*(7+14))},
		{"linear", kernels.Int8, 2, of(140, 10+35+4*(2*2+3*7+14), 10+35+4*(2*2+3*7+14))},
		{"qkv", kernels.F32, 1, of(2*384*1152, 4*(384+384*1152+1152+1152), 4*(384+384*1152+1152+1152))},
		{"attention", kernels.F32, 87, of(4*87*87*384, 4*87*4*384, 4*87*4*384)},
		{"attention", kernels.BF16, 87, of(4*87*87*384, 87*(2*3+4)*384, 87*(2*3+4)*384)},
		{"round-qkv", kernels.BF16, 32, of(0, 6*32*1152, 6*32*1152)},
		{"gelu", kernels.F32, 32, of(36*32*1536, 8*32*1536, 4*32*1536)},
		{"addnorm", kernels.F32, 32, of(9*32*384, 4*(3*32+2)*384, 4*(2*32+2)*384)},
		{"embednorm", kernels.F32, 1, of(10*384, 4*(3+1+2)*384, 4*(3+1+2)*384)},
		{"embednorm", kernels.F32, 128, of(10*128*384, 4*(3*128+2+2)*384, 4*(3*128+2+2)*384)},
		{"input-1536", kernels.BF16, 32, of(0, 6*32*1536, 6*32*1536)},
		{"input-384", kernels.Int8, 1, of(0, 5*384+8, 5*384+8)},
		{"input-384-keep", kernels.Int8, 1, of(0, 5*384+8, 5*384+8)},
	} {
		variant := kernels.Variant{ISA: kernels.Generic, Format: test.format}
		if test.format == kernels.BF16 && (test.kernel == "attention" || test.kernel == "round-qkv") {
			// Plain Go has neither, and what rounds its products has nothing to round.
			all := kernels.Permitted()
			i := slices.IndexFunc(all, func(isa kernels.ISA) bool {
				return isa.AttendsBF16(heads) && !kernels.Variant{ISA: isa, Format: kernels.BF16}.WritesBF16()
			})
			if i < 0 {
				continue
			}
			variant.ISA = all[i]
		}
		selection := Selection{Variants: []kernels.Variant{variant}}
		if strings.HasPrefix(test.kernel, "linear") {
			selection.Shapes = []Shape{{2, 5, 7}}
		}
		found := false
		for _, c := range Cases(selection) {
			if c.Kernel != test.kernel || c.Shape.Rows != test.rows {
				continue
			}
			if found = true; c.Work != test.want {
				t.Errorf("%s: %+v, want %+v", c.Name(), c.Work, test.want)
			}
		}
		if !found {
			t.Errorf("no %s of %v at %d rows", test.kernel, test.format, test.rows)
		}
	}
}

func TestFocusAndShapes(t *testing.T) {
	focus := func(s string) *regexp.Regexp { return regexp.MustCompile(s) }
	names := func(s Selection) (all []string) {
		for _, c := range Cases(s) {
			all = append(all, c.Name())
		}
		return all
	}
	got := names(Selection{Variants: []kernels.Variant{slow}, Focus: focus("qkv.*rows=(1|32)$")})
	if want := []string{"Kernel/name=qkv/isa=generic/format=f32/rows=1", "Kernel/name=qkv/isa=generic/format=f32/rows=32"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := names(Selection{Focus: focus("nosuch")}); len(got) > 0 {
		t.Errorf("%q", got)
	}
	got = names(Selection{Variants: []kernels.Variant{slow}, Shapes: []Shape{{2, 5, 7}, {1, 9, 3}}, Focus: focus("linear/")})
	if want := []string{"Kernel/name=linear/isa=generic/format=f32/in=5/out=7/rows=2", "Kernel/name=linear/isa=generic/format=f32/in=9/out=3/rows=1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Each case runs the kernel that it is named after on all of its operands: the
// results are those of the plain functions.
func TestCasesCompute(t *testing.T) {
	small := regexp.MustCompile(`(/rows=[12]|(attention|norm/).*/rows=(32|87))$`)
	for _, cases := range [][]*Case{Cases(Selection{Focus: small}), Cases(Selection{Shapes: []Shape{{2, 40, 48}, {1, 5, 3}}, Focus: small})} {
		shared := newOperands(cases)
		for _, c := range cases {
			t.Run(c.Name(), func(t *testing.T) {
				o := &operands{x: shared.x, y: slices.Clone(shared.y), w: shared.w}
				j := c.prepare(o)
				if j.reset != nil {
					j.reset()
				}
				if counts := c.Work.FLOPs > 0; !counts || strings.HasSuffix(c.Kernel, "-bf16") {
					j.run() // what it writes, only another kernel can read
					return
				}
				want, before := plainly(o, c), slices.Clone(o.y)
				j.run()
				if slices.Equal(o.y, before) {
					t.Fatal("nothing is computed")
				}
				for i, v := range want {
					if !(math.Abs(float64(o.y[i]-v)) <= tolerance(c.Variant.Format)) {
						t.Fatalf("value %d is %v, want %v", i, o.y[i], v)
					}
				}
				if !slices.Equal(o.y[len(want):], before[len(want):]) {
					t.Fatal("wrote beyond its result")
				}
			})
		}
	}
}

// plainly computes what c should leave in y.
func plainly(o *operands, c *Case) []float32 {
	s := c.Shape
	y := slices.Clone(o.y[:s.Rows*s.Out])
	product := func() []float32 {
		p := make([]float32, len(y))
		kernels.Linear(p, o.x, o.w, o.w[:s.Out], s.Rows, s.In, s.Out)
		return p
	}
	switch strings.TrimSuffix(c.Kernel, "-keep") {
	case "qkv", "output", "up", "down", "linear":
		return product()
	case "up-gelu", "linear-gelu":
		p := product()
		kernels.GELU(p)
		return p
	case "output-norm", "down-norm", "linear-norm":
		kernels.AddNorm(y, product(), o.norm(s.Out), s.Rows)
	case "attention":
		kernels.Attention(y, o.x, o.x[s.Out:], o.x[2*s.Out:], s.Rows, s.Rows, s.In, s.In, heads, make([]float32, s.Rows))
	case "gelu":
		kernels.GELU(y)
	case "addnorm":
		kernels.AddNorm(y, o.x, o.norm(s.Out), s.Rows)
	case "embednorm":
		e, ids, types := o.embeddings(s.Rows)
		kernels.EmbedNorm(y, ids, types, 0, e)
	default:
		panic("no plain form of " + c.Kernel)
	}
	return y
}

// tolerance is what a format's results may be off by. They are of the size of 1;
// what rounding the operands costs is far less, and what anything wrong about
// the operands would cost is far more.
func tolerance(f kernels.Format) float64 {
	return map[kernels.Format]float64{kernels.F32: 1e-4, kernels.BF16: 2e-2, kernels.F16: 3e-3, kernels.Int8: 5e-2, kernels.BF16x3: 1e-4}[f]
}
