package asmgen

import (
	"fmt"
	"strings"
)

// count holds the number of instructions of each kind.
type count struct{ products, vector, loads, stores, tileStores, fetches, rest int }

// The parts of a product whose instructions are counted: a pass of the inner loop, and what
// is done once for each block of sums.
const (
	ofPass  = "pass"
	ofBlock = "block"
)

// Count counts the instructions that body emits and adds them to the count of that name.
func (f *Func) Count(name string, body func()) {
	from := f.body.Len()
	body()
	if f.counted == nil {
		f.counted = map[string]count{}
	}
	c := f.counted[name]
	for line := range strings.SplitSeq(f.body.String()[from:], "\n") {
		if strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "\t//") {
			if f.Arch() == "amd64" {
				c.addTiles(line)
			} else {
				c.add(line)
			}
		}
	}
	f.counted[name] = c
}

// add counts one line of arm64 assembly.
func (c *count) add(line string) {
	instruction, effect, _ := strings.Cut(line, "//")
	if strings.HasPrefix(line, "\tWORD") {
		instruction = effect
	}
	words := strings.Fields(instruction)
	switch name := strings.TrimPrefix(words[0], "V"); {
	case name == "FMLA" || name == "SDOT" || strings.HasSuffix(name, "MMLA"):
		c.products++
	case name == "PRFM":
		c.fetches++
	case name == "MOVD" && strings.Contains(instruction, "(FP)"), strings.HasPrefix(name, "LD1R"), strings.HasPrefix(name, "FMOV") && strings.HasSuffix(words[1], "),"):
		c.loads++
	case strings.HasPrefix(name, "FMOV"):
		c.stores++
	case strings.HasPrefix(name, "F"), name == "SCVTF", strings.HasPrefix(name, "ZIP"):
		c.vector++
	default: // also MOVI and VMOV, which processors do by renaming registers
		c.rest++
	}
}

// loopEnd is the number of instructions at the end of a loop: SUB, CMP and the branch.
const loopEnd = 3

// counts returns the part of a product's comment that counts its instructions. Only arm64
// has it, in place of measurements: no arm64 processor was there to measure on.
func (f *Func) counts(form Format, t Tile) string {
	if f.Arch() != "arm64" {
		return ""
	}
	pass, block := f.counted[ofPass], f.counted[ofBlock]
	pass.rest += loopEnd
	block.vector, block.products = block.vector+block.products, 0

	const inputs = 384
	products := t.Rows * t.Cols * inputs
	matrix := paired(f.Machine, form)
	perProduct := 1 // products that an instruction adds to each of its sums
	if matrix || form == Int8 {
		perProduct = groupOf(f.Machine, form)
	}
	passes := products / (pass.products * f.sumsIn(form) * perProduct)
	once := matrix || form == Int8 // sums are not divided into blocks
	blocks := 1
	if !once {
		blocks = passes * 4 / blockSteps(form)
	}
	of := func(pass, block int) int { return passes*pass + blocks*block }
	vectors, ideal := of(pass.products, block.vector), passes*pass.products
	name, ofOnePass := map[Format]string{F32: "FMLA .4S", F16: "FMLA .8H", Int8: "SDOT"}[form], "4 steps"
	if matrix {
		name, ofOnePass = map[Format]string{BF16: "BFMMLA", Int8: "SMMLA"}[form], fmt.Sprintf("%d inputs", passInputs)
	}

	var b strings.Builder
	fmt.Fprintf(&b, "Instructions of a tile of %d rows, counted:\n\n", t.Rows)
	row := func(what string, values ...any) {
		fmt.Fprintf(&b, "\t%-26s%9v%14v%7v%8v%9v%6v\n", append([]any{what}, values...)...)
	}
	row("", name, "other vector", "loads", "stores", "fetches", "rest")
	row(ofOnePass, pass.products, pass.vector, pass.loads, pass.stores, pass.fetches, pass.rest)
	row(map[bool]string{true: "start and end", false: "start and end of a block"}[once], 0, block.vector, block.loads, block.stores, block.fetches, block.rest)
	row(fmt.Sprintf("%d inputs", inputs), ideal, vectors-ideal, of(pass.loads, block.loads), of(0, block.stores), of(pass.fetches, 0), of(pass.rest, block.rest))
	fmt.Fprintf(&b, "\n%s is %.1f %% of the vector instructions. How fast this runs is not known: no such\nprocessor was there to measure.",
		name, 100*float64(ideal)/float64(vectors))
	return b.String()
}
