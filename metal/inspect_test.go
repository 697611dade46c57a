package metal

import (
	"errors"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/emulator"
	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// An Inspector compiles every tile both ways for each product, and the other kernels once,
// or twice where they have fragments; and tries every tile.
func TestInspector(t *testing.T) {
	needEmulator(t)
	e, err := emulator.Open(shaderSource(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := &Inspector{e}
	defer x.Close()
	if expected, err := x.Fragments(); !expected || err != nil {
		t.Errorf("fragments as expected: %v, %v", expected, err)
	}
	all, err := x.Compile(miniLM)
	if err != nil {
		t.Fatal(err)
	}
	const products, others = 6, 10
	if want := 2*products*len(Tiles) + others + 1 + 2; len(all) != want {
		t.Errorf("%d kernels, want %d", len(all), want)
	}
	seen := map[CompiledKernel]bool{}
	for _, k := range all {
		if k.Err != nil || k.Limits.ExecutionWidth != 32 || k.Limits.MostThreads < k.Threads || k.Use == "" || seen[k] {
			t.Errorf("%+v, seen %v", k, seen[k])
		}
		seen[k] = true
	}
	tried, err := x.TryTiles()
	if err != nil || len(tried) != len(Tiles) {
		t.Errorf("%v, %v", tried, err)
	}
	for tile, why := range tried {
		if why != nil {
			t.Errorf("%v: %v", tile, why)
		}
	}
}

// A kernel that does not compile is told of, and the others are compiled; a GPU that is lost
// ends it. A tile that cannot be opened says why, and another does not take its place.
func TestInspectorOfFaults(t *testing.T) {
	bad := errors.New("no registers left")
	m := &mock{refuse: func(f gpu.Function) error {
		if f.Name == Tiles[3].String() {
			return bad
		}
		return nil
	}}
	x := &Inspector{m}
	all, err := x.Compile(miniLM)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, k := range all {
		if k.Err != nil {
			refused++
		}
		if (k.Err != nil) != (k.Kernel == Tiles[3].String()) || k.Err != nil && !errors.Is(k.Err, bad) {
			t.Errorf("%+v", k)
		}
	}
	if refused != 12 || m.live != 0 {
		t.Errorf("%d kernels are refused, want those of one tile; %d pipelines are left", refused, m.live)
	}
	w := tinyWeights(t, 1, 32)
	if _, err := openTile(w, m, Tiles[3], false); !errors.Is(err, bad) || !strings.Contains(err.Error(), Tiles[3].String()) || !m.closed {
		t.Errorf("opened with the tile that is refused: %v, closed %v", err, m.closed)
	}
	m.refuse = func(gpu.Function) error { return ErrLost }
	if _, err := x.Compile(miniLM); !errors.Is(err, ErrLost) {
		t.Errorf("a GPU that is lost: %v", err)
	}
}
