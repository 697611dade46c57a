package metal

import (
	"fmt"
	"strings"
)

// Tile is the shape of what a threadgroup of the linear kernel computes. The results do not
// depend on it, bit for bit; which tile is fastest depends on the chip.
type Tile struct {
	Rows, Columns int
	Inputs        int    // inputs that are loaded into threadgroup memory at a time; 0: fragments are loaded directly from device memory
	Simdgroups    [2]int // number along the rows and along the columns
}

// String returns the name of the tile and of its kernel. "linear_64x64x16_1x2" is 64 rows
// by 64 columns, 16 inputs at a time, with 1×2 simdgroups.
func (t Tile) String() string {
	name := fmt.Sprintf("linear_%dx%d", t.Rows, t.Columns)
	if t.Inputs > 0 {
		name += fmt.Sprintf("x%d", t.Inputs)
	}
	return fmt.Sprintf("%s_%dx%d", name, t.Simdgroups[0], t.Simdgroups[1])
}

// directInputs is the step of tiles with Inputs 0: linear_direct.metal's DIRECT_STEP.
const directInputs = 32

// step returns by how many inputs a tile's kernel advances.
func (t Tile) step() int {
	if t.Inputs == 0 {
		return directInputs
	}
	return t.Inputs
}

// Tiles are the tiles for which the shaders have a kernel.
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

// Uniform returns the tiling that uses one tile for all products.
func Uniform(t Tile) Tiling { return Tiling{t, t, t, t} }

func (t *Tiling) each() []Tile { return []Tile{t.QKV, t.Output, t.Up, t.Down} }

// String describes the tiling in a line.
func (t Tiling) String() string {
	return fmt.Sprintf("qkv %v, output %v, up %v, down %v", t.QKV, t.Output, t.Up, t.Down)
}

// Matrices are padded to a multiple of leastColumns or more. Every step of inputs divides
// it.
const leastColumns = 64

// columns returns the least common multiple of all the tiles' widths, to which matrices are
// padded.
func (t *Tiling) columns() int {
	n := leastColumns
	for _, tile := range t.each() {
		for n%tile.Columns != 0 {
			n += leastColumns
		}
	}
	return n
}

// widest returns a tile that needs more padding than leastColumns, if there is one.
func (t *Tiling) widest() Tile {
	for _, tile := range t.each() {
		if leastColumns%tile.Columns != 0 {
			return tile
		}
	}
	return t.QKV
}

// DefaultTiling returns the tiling for a chip on which nothing was measured. It follows
// what others ship, not a measurement of ours: MLX uses these tiles, with two simdgroups on
// chips that are one small GPU or several together (M1, M1 Ultra), and four on those
// between (Pro and Max). From M3 on, loading fragments directly from device memory was
// faster for others (metal-flash-attention); tuning tries such tiles.
func DefaultTiling(gpuName string) Tiling {
	if strings.Contains(gpuName, "Pro") || strings.Contains(gpuName, "Max") {
		return Uniform(Tiles[2])
	}
	return Uniform(Tiles[1])
}

// manyCores reports whether a GPU has 24 cores or more. It goes by the name, since Metal
// does not say.
func manyCores(gpuName string) bool {
	return strings.Contains(gpuName, "Max") || strings.Contains(gpuName, "Ultra")
}

// threadgroupMemory returns the bytes that a tile needs: tiles of x and w, whose rows are
// 16 bytes longer, and an 8×8 fragment of floats for each simdgroup.
func (t Tile) threadgroupMemory() int {
	scratch := 4 * 64 * t.Simdgroups[0] * t.Simdgroups[1]
	if t.Inputs == 0 {
		return scratch
	}
	return 2*(t.Rows*(t.Inputs+8)+t.Inputs*(t.Columns+8)) + scratch
}
