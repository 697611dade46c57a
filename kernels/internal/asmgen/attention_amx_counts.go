package asmgen

import (
	"fmt"
	"strings"
)

// What is counted of attention on tiles, for 16 queries and 32 keys: what is done once,
// and four rows, which is done four times. Heads' sizes have theirs apart.
func (a *amxAttention) ofStep() string { return fmt.Sprintf("%s, %d", ofPass, a.across) }
func (a *amxAttention) ofFour() string { return fmt.Sprintf("%s, %d", ofRowBeside, a.across) }

// counts is what the comment says of the inner loop.
func (a *amxAttention) counts() string {
	const (
		productCycles = 16  // of a processor with AMX for a product of tiles
		ports         = 2   // which do vector instructions
		clock         = 3.3 // GHz, of the prototype's machine: its tiles' peak over 1024 operations a cycle
	)
	var b strings.Builder
	fmt.Fprintf(&b, "Instructions for 16 queries and 32 keys, counted, and the least cycles that they take,\n"+
		"%d a product, and half a one a vector instruction that is not a move:\n\n", productCycles)
	row := func(what string, values ...any) {
		fmt.Fprintf(&b, "\t%-12s%9v%8v%12v%13v%8v%8v%7v\n", append([]any{what}, values...)...)
	}
	row("", "products", "cycles", "tile loads", "tile stores", "vector", "cycles", "moves")
	var least [3]int
	for a.across = 1; a.across <= 2; a.across++ {
		step, four := a.counted[a.ofStep()], a.counted[a.ofFour()]
		vector := step.vector + 4*four.vector
		products := productCycles * step.products
		row(fmt.Sprintf("heads of %d", 32*a.across), step.products, products, step.loads, step.tileStores, vector, vector/ports, step.stores+4*four.stores)
		least[a.across] = max(products, vector/ports)
	}
	us := func(tokens int) float64 {
		return float64(12*((tokens+15)/16)*((tokens+31)/32)*least[1]) / clock / 1000
	}
	fmt.Fprintf(&b, `
The larger number of cycles is what the loop takes at best. At %.1f GHz, 12 heads of 32
and 32, 87, 128 and 256 tokens, that is %.1f, %.1f, %.1f and %.1f us, beside packing K and V.
The prototype in C took 4.5, 23.3, 43 and 187, with them.`, clock, us(32), us(87), us(128), us(256))
	return b.String()
}
