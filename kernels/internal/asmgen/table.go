package asmgen

import (
	"fmt"
	"strings"
)

// table returns the file with the constants and the table that say, on every architecture,
// which instruction sets and formats exist and how each multiplies.
func table() string {
	var b strings.Builder
	b.WriteString("// The instruction sets. Within an architecture, better ones come later.\nconst (\nGeneric ISA = iota // plain Go, on every machine\n")
	for i := range sets {
		fmt.Fprintf(&b, "%s // %s\n", sets[i].machine.Name(), sets[i].what)
	}
	b.WriteString(")\n\n// The formats.\nconst (\n")
	for f := range formatCount {
		fmt.Fprintf(&b, "%s Format = %d\n", f, int(f))
	}
	fmt.Fprintf(&b, "\nformatCount = %d\n)\n", int(formatCount))
	fmt.Fprintf(&b, "\n// ReadBlock is how many values Read reads at a time.\nconst ReadBlock = %d\n", readBlock)
	fmt.Fprintf(&b, `
// AttendUnit: Attend takes scores that are exponents of 2 divided by this.
const AttendUnit = %d

// AttendScratch returns how many bytes of scratch memory Attend and AttendNarrow need.
func AttendScratch(keys, size int) int {
fixed := %d
if size > 32 {
fixed = %d
}
return fixed + (keys+31)/32*32*size*4
}
`, exponentUnit, amxScratch(1), amxScratch(2))
	largest := 0
	for i := range sets {
		for form := range formatCount {
			if _, ok := sets[i].code(nameOf("gemm", form)); ok {
				t := TileOf(sets[i].machine, form)
				largest = max(largest, t.Rows*t.Cols)
			}
		}
	}
	fmt.Fprintf(&b, "\n// MaxTile is the largest number of outputs of a tile.\nconst MaxTile = %d\n", largest)
	b.WriteString("\n// Sets has the instruction sets by number.\nvar Sets = [...]Set{\nGeneric: {Name: \"generic\"},\n")
	for i := range sets {
		row(&b, &sets[i])
	}
	b.WriteString("}\n")
	return b.String()
}

// row writes a set's element of Sets.
func row(b *strings.Builder, s *set) {
	m := s.machine
	fmt.Fprintf(b, "%s: {\nName: %q,\n", m.Name(), s.name())
	if base, ok := s.code("norm"); ok {
		fmt.Fprintf(b, "Vectors: %s,\n", base.Name())
	}
	b.WriteString("Products: [formatCount]Product{\n")
	for form := range formatCount {
		if code, ok := s.code(nameOf("linear", form)); ok {
			tileProduct(b, form, code)
		} else if code, ok := s.code(nameOf("gemm", form)); ok {
			product(b, form, code)
		}
	}
	fmt.Fprintf(b, "},\nAttention: Attention{Columns: %d, Transpose: %d},\nGeluColumns: %d,\n", attentionColumns(m), transposeBlock(m), geluColumns(m))
	if _, ok := s.code(nameOf("scores", BF16)); ok {
		b.WriteString("AttendsBF16: true,\n")
	}
	if _, ok := s.code("attend"); ok {
		b.WriteString("AttendsTiles: true,\n")
	}
	b.WriteString("},\n")
}

// product writes how the machine code multiplies in a format.
func product(b *strings.Builder, form Format, code Machine) {
	t := TileOf(code, form)
	group := groupOf(code, form)
	unit := 16
	if form == F32 {
		unit = 1
	}
	weight := map[Format]int{F32: 4, F16: 2, BF16: 2, Int8: 1}[form]
	flops := 2 * peakSums(code) * code.sumsIn(form) * group
	fmt.Fprintf(b, "%s: {Code: %s, Rows: %d, Cols: %d, Group: %d, Unit: %d, XBytes: %d, WeightBytes: %d, PeakFLOPs: %d",
		form, code.Name(), t.Rows, t.Cols, group, unit, code.xSize(form), weight, flops)
	if a, ok := code.(amd64); ok && form == Int8 && a.unsigned() {
		b.WriteString(", Unsigned: true")
	}
	if paired(code, form) {
		b.WriteString(", Pairs: true")
	}
	b.WriteString("},\n")
}

// tileProduct writes how code, a machine with tiles, multiplies in a format.
func tileProduct(b *strings.Builder, form Format, code Machine) {
	bytes := map[Format]int{BF16: 2, Int8: 1, BF16x3: 4}[form]
	group := map[Format]int{BF16: 2, Int8: 4, BF16x3: 2}[form]
	unit := tileRows * group // a row of a tile; two rows if values have two parts
	flops := tileSums / tileProducts(form) * tileFLOPs(form)
	fmt.Fprintf(b, "%s: {Code: %s, Tiles: true, Rows: %d, Cols: %d, Group: %d, Unit: %d, XBytes: %d, WeightBytes: %d, PeakFLOPs: %d},\n",
		form, code.Name(), 2*tileRows, panelColumns, group, unit, bytes, bytes, flops)
}
