package emulator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// edit replaces a part of a text.
type edit struct {
	start, end int
	with       string
}

func apply(text string, edits []edit) string {
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var b strings.Builder
	at := 0
	for _, e := range edits {
		if e.start < at { // within the last
			continue
		}
		b.WriteString(text[at:e.start])
		b.WriteString(e.with)
		at = e.end
	}
	b.WriteString(text[at:])
	return b.String()
}

func blank(r rune) rune {
	if r == '\n' {
		return r
	}
	return ' '
}

// header comes before what is generated. The line marker of the preprocessed text
// follows it, so that lines count from the source's first.
const header = "#include <metal_stdlib>\n"

// rewrite returns the shaders with what clang does not know made plain C++:
// attributes blanked, function constants and threadgroup arrays declared.
func (p *program) rewrite(strict bool) string {
	var edits []edit
	for _, b := range p.blanks {
		edits = append(edits, edit{b[0], b[1], strings.Map(blank, p.text[b[0]:b[1]])})
	}
	for _, c := range p.constants {
		if strict {
			edits = append(edits, edit{c.word.at, c.word.at, "extern "})
		} else {
			edits = append(edits, edit{c.word.at, c.word.end(), strings.Repeat(" ", len("constant"))})
		}
	}
	for _, d := range p.derived {
		if !strict {
			edits = append(edits, edit{d.word.at, d.word.end(), strings.Repeat(" ", len("constant"))},
				edit{d.start, d.end, strings.Map(blank, p.text[d.start:d.end])})
		}
	}
	number := 0
	for _, s := range p.shared {
		if strict {
			edits = append(edits, edit{s.start, s.start, "static "})
			continue
		}
		var with strings.Builder
		for i, name := range s.names {
			fmt.Fprintf(&with, "auto &%s = metal::emulator::shared<%s%s, %d>(); ", name, s.typ, s.dimensions[i], number)
			number++
		}
		// What was on several lines stays on as many.
		with.WriteString(strings.Repeat("\n", strings.Count(p.text[s.start:s.end], "\n")-strings.Count(with.String(), "\n")))
		edits = append(edits, edit{s.start, s.end, with.String()})
	}
	return header + apply(p.text, edits)
}

// glue returns what calls the kernels and sets the function constants.
func (p *program) glue() string {
	var b, table strings.Builder
	b.WriteString("\n# 1 \"generated\"\nnamespace metal {\nnamespace emulator {\n")
	for n, k := range p.kernels {
		var arguments, indexes []string
		for _, param := range k.parameters {
			if param.attribute != "buffer" {
				arguments = append(arguments, "Position{"+positions[param.attribute]+"}")
				indexes = append(indexes, "-1")
				continue
			}
			kind := "Pointer"
			if param.reference {
				kind = "Reference"
			}
			arguments = append(arguments, fmt.Sprintf("%s{p.buffers[%d]}", kind, param.index))
			indexes = append(indexes, fmt.Sprint(param.index))
		}
		fmt.Fprintf(&b, "static void call%d(const Place &p) { ::%s(%s); }\n", n, k.expression, strings.Join(arguments, ", "))
		fmt.Fprintf(&b, "static const signed char index%d[] = {%s};\n", n, strings.Join(append(indexes, "0"), ", "))
		fmt.Fprintf(&table, "  {%q, call%d, describe(&::%s), index%d, %d},\n", k.name, n, k.expression, n, len(k.parameters))
	}
	fmt.Fprintf(&b, "const Kernel kernels[] = {\n%s  {}};\nconst int kernelCount = %d;\n", table.String(), len(p.kernels))
	b.WriteString("void setConstants(const unsigned *values) {\n")
	for i, c := range p.constants {
		if c.typ == "float" {
			fmt.Fprintf(&b, "  ::%s = as_type<float>(values[%d]);\n", c.name, i)
		} else {
			fmt.Fprintf(&b, "  ::%s = values[%d];\n", c.name, i)
		}
	}
	for _, d := range p.derived {
		fmt.Fprintf(&b, "  ::%s = %s;\n", d.name, d.initialiser)
	}
	b.WriteString("}\n}\n}\n")
	return b.String()
}
