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

// String returns the tile's name, which is that of its kernel.
func (t Tile) String() string {
	name := fmt.Sprintf("linear_%dx%d", t.Rows, t.Columns)
	if t.Inputs > 0 {
		name += fmt.Sprintf("x%d", t.Inputs)
	}
	return name
}

// Tiles are those that the shaders have.
var Tiles = []Tile{
	{64, 64, 32, [2]int{2, 2}},
	{64, 64, 16, [2]int{1, 2}},
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

// columns returns the least multiple of all the tiles' widths, which matrices are
// padded to.
func (t *Tiling) columns() int {
	n := 64 // the inputs' step divides it too
	for _, tile := range t.each() {
		for n%tile.Columns != 0 {
			n += 64
		}
	}
	return n
}

// DefaultTiling returns what should do on a chip that nothing was measured on. It is
// a guess from what others found, not a measurement of ours: 64×64 tiles reuse most
// on the first two generations (MLX), fragments straight from device memory win from
// M3 on (metal-flash-attention), and where there are many cores, products with as
// few outputs as hidden channels have too few large tiles to keep them busy.
func DefaultTiling(gpuName string, family int) Tiling {
	if family >= 9 {
		return Uniform(Tiles[4])
	}
	t := Uniform(Tiles[0])
	if manyCores(gpuName) {
		t.Output, t.Down = Tiles[2], Tiles[2]
	}
	return t
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
