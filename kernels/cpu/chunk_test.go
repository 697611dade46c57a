package cpu

import (
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// A chunk has a sensible number of rows, whole tiles of them, for the smallest and
// the largest of models.
func TestChunkRows(t *testing.T) {
	for _, v := range kernels.Variants() {
		for _, size := range []struct{ h, f int }{{8, 16}, {384, 1536}, {1024, 4096}, {8192, 32768}} {
			if n := chunkRows(v, size.h, size.f); n < 96 || n > 512 || n%16 != 0 {
				t.Errorf("%v, %d and %d wide: %d rows", v, size.h, size.f, n)
			}
		}
	}
}
