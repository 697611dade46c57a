package metal

import (
	"fmt"
	"strings"
)

// Tile is the shape of what a threadgroup of the linear kernel computes. Which one is
// fastest depends on the chip; what they compute is the same, bit for bit.
type Tile struct {
	Rows, Columns int
	Inputs        int    // at a time, by way of threadgroup memory; 0: straight from device memory
	Simdgroups    [2]int // across the rows and the columns
}

// String returns the tile's name, which is that of its kernel: "linear_64x64x16_1x2" is 64
// rows by 64 columns, 16 inputs at a time, with 1×2 simdgroups.
func (t Tile) String() string {
	name := fmt.Sprintf("linear_%dx%d", t.Rows, t.Columns)
	if t.Inputs > 0 {
		name += fmt.Sprintf("x%d", t.Inputs)
	}
	return fmt.Sprintf("%s_%dx%d", name, t.Simdgroups[0], t.Simdgroups[1])
}

// directInputs is the step of the tiles without Inputs: linear_direct.metal's DIRECT_STEP.
const directInputs = 32

// step is how many inputs a tile's kernel goes on by.
func (t Tile) step() int {
	if t.Inputs == 0 {
		return directInputs
	}
	return t.Inputs
}

// Tiles are those that the shaders have.
var Tiles = []Tile{
	{64, 64, 32, [2]int{2, 2}},
	{64, 64, 16, [2]int{1, 2}},
	{64, 64, 16, [2]int{2, 2}},
	{64, 32, 32, [2]int{2, 2}},
	{48, 48, 32, [2]int{2, 2}},
	{32, 32, 0, [2]int{1, 1}},
}

// Tiling says which tile computes each of a layer's products.
type Tiling struct{ QKV, Output, Up, Down Tile }

// Uniform is the tiling of one tile alone.
func Uniform(t Tile) Tiling { return Tiling{t, t, t, t} }

func (t *Tiling) each() []Tile { return []Tile{t.QKV, t.Output, t.Up, t.Down} }

// String says it in a line.
func (t Tiling) String() string {
	return fmt.Sprintf("qkv %v, output %v, up %v, down %v", t.QKV, t.Output, t.Up, t.Down)
}

// leastColumns is what matrices are padded to at least: all steps of inputs divide it.
const leastColumns = 64

// columns returns the least multiple of all the tiles' widths, which matrices are
// padded to.
func (t *Tiling) columns() int {
	n := leastColumns
	for _, tile := range t.each() {
		for n%tile.Columns != 0 {
			n += leastColumns
		}
	}
	return n
}

// widest returns a tile for which matrices are padded to more than leastColumns, if there
// is one.
func (t *Tiling) widest() Tile {
	for _, tile := range t.each() {
		if leastColumns%tile.Columns != 0 {
			return tile
		}
	}
	return t.QKV
}

// DefaultTiling returns what should do on a chip that nothing was measured on. It is
// a guess from what others ship, not a measurement of ours: MLX has these tiles, with
// two simdgroups for the chips that are one small GPU or several together (M1, M1 Ultra),
// and four for those between (Pro and Max). From M3 on, fragments straight from device
// memory have been faster elsewhere (metal-flash-attention): tuning tries them.
func DefaultTiling(gpuName string) Tiling {
	if strings.Contains(gpuName, "Pro") || strings.Contains(gpuName, "Max") {
		return Uniform(Tiles[2])
	}
	return Uniform(Tiles[1])
}

// manyCores says whether a GPU has 24 cores or more, by its name: Metal does not
// tell.
func manyCores(gpuName string) bool {
	return strings.Contains(gpuName, "Max") || strings.Contains(gpuName, "Ultra")
}

// threadgroupMemory is what a tile takes of it, in bytes: tiles of x and w with rows
// 16 bytes longer, and an 8×8 fragment of floats for each simdgroup.
func (t Tile) threadgroupMemory() int {
	scratch := 4 * 64 * t.Simdgroups[0] * t.Simdgroups[1]
	if t.Inputs == 0 {
		return scratch
	}
	return 2*(t.Rows*(t.Inputs+8)+t.Inputs*(t.Columns+8)) + scratch
}
