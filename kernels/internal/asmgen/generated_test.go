package asmgen

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var generate = flag.Bool("generate", false, "write the files anew")

// The generated files in package asm are what this package writes, no more and no
// less.
func TestGenerated(t *testing.T) {
	const asm = "../asm"
	files := Files()
	for name, want := range files {
		path := filepath.Join(asm, name)
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
			t.Errorf("%s differs from what is generated, first at line %d: run %s", name, firstDifference(string(got), want), command)
		}
	}
	all, err := filepath.Glob(filepath.Join(asm, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, known := files[filepath.Base(path)]
		if generated := strings.HasPrefix(string(text), header); generated != known || strings.HasSuffix(path, ".s") && !generated {
			t.Errorf("%s: generated %v, by the generator as it is %v", filepath.Base(path), generated, known)
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
