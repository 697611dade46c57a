package engine_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	pathpkg "path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/minilm-metal/minilm-metal/"

// layers says which of our packages each folder may import: itself always, and
// what is named here. Data flows downwards: text, tokens, batch, forward,
// score.
var layers = map[string][]string{
	"testdata": nil,
	"model":    {"testdata"},
	"kernels":  nil,
	"kernels/cpu": {
		"kernels", "model",
	},
	"metal":  {"model"},
	"engine": {"kernels", "kernels/cpu", "metal", "model"},

	"engine/serve": {"engine", "model"},                                                                                                                                                                        // whoever embeds the engine gets no HTTP with it
	"bench":        {"bench/load", "bench/recording", "bench/remote", "bench/stats", "engine", "kernels", "kernels/cpu", "model", "testdata"},                                                                  // kernels of an ablation, which measures them alone
	"cmd":          {"bench", "bench/ab", "bench/peers", "bench/recording", "bench/remote", "bench/report", "bench/compare", "engine", "engine/serve", "kernels", "kernels/cpu", "metal", "model", "testdata"}, // kernels/cpu for doctor, which holds its blocks to float64

	// What a run has measured is read, reported and compared without an engine.
	"bench/stats":     nil,
	"bench/chromium":  nil, // for tests alone, those of engine/serve too
	"bench/remote":    nil,
	"bench/internal":  {"model"},
	"bench/recording": {"bench/internal", "model"},
	"bench/load":      {"bench/recording", "bench/stats"},
	"bench/report":    {"bench/internal", "bench/load", "bench/recording", "bench/stats", "model"},
	"bench/compare":   {"bench/internal", "bench/recording", "bench/report", "bench/stats", "model"},
	"bench/ab":        {"bench/compare", "bench/internal", "bench/recording", "bench/report"},
	"bench/peers":     {"bench/ab", "bench/internal", "bench/recording", "bench/report", "bench/stats"},
}

// folder returns the layer that a package of ours belongs to: the longest of the list that
// it lies in, or the first part of its path.
func folder(path string) string {
	path = strings.TrimPrefix(path, module)
	for in := path; in != "."; in = pathpkg.Dir(in) {
		if _, known := layers[in]; known {
			return in
		}
	}
	top, _, _ := strings.Cut(path, "/")
	return top
}

type listed struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports"}, args...)...)
	cmd.Dir = ".."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportDirection(t *testing.T) {
	packages := list(t, "./...")
	if len(packages) < 8 {
		t.Fatalf("go list found %d packages only", len(packages))
	}
	for _, p := range packages {
		from := folder(p.ImportPath)
		allowed, known := layers[from]
		if !known {
			t.Errorf("%s: folder %q is not in the layout", p.ImportPath, from)
		}
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, module) {
				continue
			}
			if to := folder(imported); to != from && !slices.Contains(allowed, to) {
				t.Errorf("%s imports %s: %s must not import %s", p.ImportPath, imported, from, to)
			}
		}
	}
}

// Whoever embeds the engine gets no HTTP of ours. The tokenizer library that
// reads tokenizer.json, sugarme/tokenizer, brings net/http in by itself (its
// root package can download models); nothing of ours calls that.
func TestEngineImportsNoHTTP(t *testing.T) {
	for _, p := range list(t, "-deps", "./engine") {
		for _, imported := range p.Imports {
			ours := strings.HasPrefix(p.ImportPath, module)
			if ours && (imported == "net" || strings.HasPrefix(imported, "net/")) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
			if imported == "net/http" && !strings.HasPrefix(p.ImportPath, "github.com/sugarme/") && strings.Contains(p.ImportPath, ".") {
				t.Errorf("%s brings net/http into every program that embeds the engine", p.ImportPath)
			}
		}
	}
}

func TestTopLevel(t *testing.T) {
	want := []string{"LICENSE", "README.md", "bench", "cmd", "engine", "go.mod", "go.sum", "kernels", "metal", "model", "testdata"}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		// What .gitignore names, a built command or a report, is the user's.
		if name := e.Name(); !strings.HasPrefix(name, ".") && !slices.Contains(want, name) && name != "minilm-metal" && name != "bench-report" {
			t.Errorf("%s does not belong at the top level", name)
		}
	}
}
