package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

func TestEnvironment(t *testing.T) {
	args := []string{"bench", "--pairs", "3"}
	e := NewEnvironment(args)
	args[0] = "changed"
	if e.Cores < 1 || e.GOMAXPROCS < 1 || e.MemoryBytes < 1<<26 {
		t.Errorf("%d cores, GOMAXPROCS %d, %d bytes", e.Cores, e.GOMAXPROCS, e.MemoryBytes)
	}
	if e.Arch != runtime.GOARCH || e.Go != runtime.Version() || !strings.HasPrefix(e.OS, runtime.GOOS) {
		t.Errorf("%q %q %q", e.Arch, e.Go, e.OS)
	}
	if e.CPU == "" || e.Commit == "" || e.Args[0] != "bench" {
		t.Errorf("CPU %q, commit %q, args %q", e.CPU, e.Commit, e.Args)
	}
	if runtime.GOARCH == "arm64" && !slices.Contains(e.CPUFeatures, "ASIMD") ||
		runtime.GOARCH == "amd64" && !slices.Contains(e.CPUFeatures, "SSE42") {
		t.Errorf("CPU features %q", e.CPUFeatures)
	}
	if e.Noise == nil || *e.Noise < 0 {
		t.Errorf("noise %v", e.Noise)
	}
	if runtime.GOOS != "windows" && (e.Load1 == nil || *e.Load1 < 0) {
		t.Errorf("load average %v", e.Load1)
	}
	if e.GPU != "" {
		t.Errorf("GPU %q, which only an engine can know", e.GPU)
	}
}

func TestCommit(t *testing.T) {
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	tests := []struct {
		name  string
		info  *debug.BuildInfo
		want  string
		dirty bool
	}{
		{"no build information", nil, "unknown", false},
		{"-buildvcs=false", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "unknown", false},
		{"clean", &debug.BuildInfo{Settings: []debug.BuildSetting{setting("vcs.revision", "abc123"), setting("vcs.modified", "false")}}, "abc123", false},
		{"dirty", &debug.BuildInfo{Settings: []debug.BuildSetting{setting("vcs.modified", "true"), setting("vcs.revision", "abc123")}}, "abc123", true},
		{"installed", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3", false},
		{"both", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3+dirty"}, Settings: []debug.BuildSetting{setting("vcs.revision", "abc123")}}, "abc123", false},
	}
	for _, tt := range tests {
		if got, dirty := commit(tt.info); got != tt.want || dirty != tt.dirty {
			t.Errorf("%s: %q %v, want %q %v", tt.name, got, dirty, tt.want, tt.dirty)
		}
	}
}

// The arithmetic of the noise probe must not be cut short: it converges to 1
// from 0.5 as 1 - 0.5·0.999^n.
func TestChain(t *testing.T) {
	for steps, want := range map[int]float64{0: 0.5, 1: 0.5005, 2: 0.5009995} {
		if got := chain(steps); got < want-1e-12 || got > want+1e-12 {
			t.Errorf("%d steps: %v, want %v", steps, got, want)
		}
	}
}

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

func TestFileHashes(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	single := fstest.MapFS{"model.safetensors": file("weights"), "model-extra.safetensors": file("x"), "vocab.txt": file("words"), "tokenizer.json": file("{}")}
	sharded := fstest.MapFS{"model-00002-of-00002.safetensors": file("two"), "model-00001-of-00002.safetensors": file("one"), "vocab.txt": file("words")}
	tests := []struct {
		name string
		fsys fs.FS
		hash func(fs.FS) (string, error)
		want string
	}{
		{"one file", single, weightsSHA256, sum("weights")},
		{"shards", sharded, weightsSHA256, sum(sum("one") + "  model-00001-of-00002.safetensors\n" + sum("two") + "  model-00002-of-00002.safetensors\n")},
		{"tokenizer.json", single, tokenizerSHA256, sum("{}")},
		{"vocab.txt alone", sharded, tokenizerSHA256, sum("words")},
	}
	for _, tt := range tests {
		if got, err := tt.hash(tt.fsys); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v, want %s", tt.name, got, err, tt.want)
		}
	}
	if _, err := weightsSHA256(fstest.MapFS{}); err == nil || !strings.Contains(err.Error(), ".safetensors") {
		t.Errorf("no weights: %v", err)
	}
	if _, err := tokenizerSHA256(fstest.MapFS{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no tokenizer: %v", err)
	}
	if _, err := fileSHA256(fstest.MapFS{"d/f": file("")}, "d"); err == nil {
		t.Error("a directory has a hash")
	}
}

func TestBusy(t *testing.T) {
	f := func(x float64) *float64 { return &x }
	tests := []struct {
		load, noise *float64
		want        bool
	}{
		{nil, nil, false},
		{f(0.9), f(0.24), false},
		{f(1.1), nil, true},
		{nil, f(0.26), true},
	}
	for _, tt := range tests {
		if got := busy(&recording.Environment{Cores: 2, Load1: tt.load, Noise: tt.noise}); got != tt.want {
			t.Errorf("load %s, noise %s: %v", measured(tt.load, "%v", 1), measured(tt.noise, "%v", 1), got)
		}
	}
	if got := measured(f(0.126), "%.0f %%", 100) + ", " + measured(nil, "%v", 1); got != "13 %, n/a" {
		t.Errorf("figures %q", got)
	}
}
