package metal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// A tiling that is stored is found again, for its GPU, system and shaders alone.
func TestStoredTiling(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home) // Linux
	t.Setenv("HOME", home)           // macOS
	t.Setenv("LocalAppData", home)   // Windows
	m1, m3 := gpu.Info{Name: "Apple M1", System: "macOS 15", Family: 7}, gpu.Info{Name: "Apple M3 Pro", System: "macOS 15", Family: 9}
	mixed := Tiling{Tiles[1], Tiles[2], Tiles[3], Tiles[4]}
	find := func(info gpu.Info, want Tiling) {
		t.Helper()
		if got, known, err := storedTiling(info); err != nil || got != want || known != (want == mixed) {
			t.Errorf("%s: %v, known %v, %v, want %v", info.Name, got, known, err, want)
		}
	}
	find(m1, Uniform(Tiles[1]))
	find(m3, Uniform(Tiles[2]))
	for _, tuning := range []Tuning{{GPU: "Apple M1", System: "macOS 15", Tiling: mixed}, {GPU: "Apple M2", System: "macOS 15", Tiling: Uniform(Tiles[2])}} {
		if err := tuning.Store(); err != nil {
			t.Fatal(err)
		}
	}
	find(m1, mixed)
	find(m3, Uniform(Tiles[2]))
	m1.System = "macOS 16"
	find(m1, Uniform(Tiles[1]))

	path, err := TuningPath()
	if err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(left) != 1 {
		t.Errorf("files %q, %v", left, err)
	}
	// What cannot be read is an error that names the file, and is written anew.
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := storedTiling(m1); err == nil {
		t.Error("a broken file: no error")
	}
	tuning := Tuning{GPU: "Apple M1", System: "macOS 16", Tiling: mixed}
	if err := tuning.Store(); err != nil {
		t.Fatal(err)
	}
	find(m1, mixed)
	all := map[string]storedTiles{tuningKey(m1.Name, m1.System): {QKV: "linear_1x1"}}
	for _, s := range all {
		if _, err := s.tiling(); err == nil {
			t.Error("a tile that there is not: no error")
		}
	}
}
