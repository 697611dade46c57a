package asmgen

import (
	"fmt"
	"strings"
)

// ofRowBeside is the name under which a row of an epilogue that runs beside a product is
// counted.
const ofRowBeside = "row"

// addTiles counts one line of amd64 assembly in a function on tiles: loads are of tiles;
// stores are vector instructions that only read, write or copy.
func (c *count) addTiles(line string) {
	instruction, effect, _ := strings.Cut(line, "//")
	if name := strings.Fields(instruction)[0]; name == "LONG" || name == "WORD" {
		instruction = effect
	}
	switch name := strings.Fields(instruction)[0]; {
	case strings.HasPrefix(name, "TDP"):
		c.products++
	case strings.HasPrefix(name, "TILELOADD"):
		c.loads++
	case strings.HasPrefix(name, "TILESTORED"):
		c.tileStores++
	case strings.HasPrefix(name, "VMOV"), strings.HasPrefix(name, "VBROADCAST"):
		c.stores++
	case strings.HasPrefix(name, "V"):
		c.vector++
	default:
		c.rest++
	}
}

// linearCounts returns the part of a tile product's comment about its inner loop, beside
// the prototype's.
func (p *linearFunc) linearCounts() string {
	step, row := p.counted[ofPass], p.counted[ofRowBeside]
	step.rest += loopEnd
	inputs, what := 32, "a row of the epilogue"
	if p.form == Int8 {
		inputs, what = 64, fmt.Sprintf("a row, all %d terms", mostTerms)
	}
	var b strings.Builder
	b.WriteString("Instructions of the inner loop, in a block of 32 rows, counted:\n\n")
	line := func(what string, values ...any) {
		fmt.Fprintf(&b, "\t%-28s%9v%12v%13v%7v%6v\n", append([]any{what}, values...)...)
	}
	line("", "products", "tile loads", "vector moves", "vector", "rest")
	line("a step", step.products, step.loads, step.stores, step.vector, step.rest)
	line(what, row.products, row.loads, row.stores, row.vector, row.rest)
	for _, in := range []int{384, 1536} {
		steps := in / inputs
		of := func(step, row int) string { return fmt.Sprintf("%.0f", float64(step)+float64(row)*32/float64(steps)) }
		line(fmt.Sprintf("a step and rows, %d inputs", in), step.products, step.loads,
			of(step.stores, row.stores), of(step.vector, row.vector), of(step.rest, row.rest))
	}
	fmt.Fprintf(&b, `
A prototype in C, on a processor with AMX, had %d products and %d tile loads in a step, and
up to 16 multiply-adds on vectors beside each product cost nothing there.`, step.products, map[bool]int{false: 4, true: 8}[p.form == BF16x3])
	return b.String()
}
