package asmgen

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var generate = flag.Bool("generate", false, "write the files anew")

// The files in package kernels are what this package writes, no more and no
// less.
func TestGenerated(t *testing.T) {
	const kernels = "../.."
	files := Files()
	for name, want := range files {
		path := filepath.Join(kernels, name)
		if *generate {
			if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s differs from what is generated, first at line %d: run go generate ./kernels/internal/asmgen", name, firstDifference(string(got), want))
		}
	}
	all, err := filepath.Glob(filepath.Join(kernels, "*.s"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		if _, ok := files[filepath.Base(path)]; !ok {
			t.Errorf("%s is not generated", filepath.Base(path))
		}
	}
}

// firstDifference returns the number of the first line that differs.
func firstDifference(a, b string) int {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	n := 0
	for n < min(len(as), len(bs)) && as[n] == bs[n] {
		n++
	}
	return n + 1
}
