package asmgen

import (
	"fmt"
	"strings"
)

// The names under which the instructions for 16 queries and 32 keys are counted, for each
// size of heads: those done once, and those for four rows, which are done four times.
func (a *amxAttention) ofStep() string { return fmt.Sprintf("%s, %d", ofPass, a.across) }
func (a *amxAttention) ofFour() string { return fmt.Sprintf("%s, %d", ofRowBeside, a.across) }

// counts returns the part of the function's comment about the inner loop.
func (a *amxAttention) counts() string {
	var b strings.Builder
	b.WriteString("Instructions for 16 queries and 32 keys, counted:\n\n")
	row := func(what string, values ...any) {
		fmt.Fprintf(&b, "\t%-12s%9v%12v%13v%8v%7v\n", append([]any{what}, values...)...)
	}
	row("", "products", "tile loads", "tile stores", "vector", "moves")
	for a.across = 1; a.across <= 2; a.across++ {
		step, four := a.counted[a.ofStep()], a.counted[a.ofFour()]
		row(fmt.Sprintf("heads of %d", 32*a.across), step.products, step.loads, step.tileStores, step.vector+4*four.vector, step.stores+4*four.stores)
	}
	b.WriteString(`
On a processor with AMX, a prototype in C took 4.5, 23.3, 43 and 187 us for 12 heads of 32
at 32, 87, 128 and 256 tokens, with packing K and V. The speed of this kernel is not known.`)
	return b.String()
}
