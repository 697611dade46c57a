package darwincheck

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// protocol is a reference to a protocol by name in Objective-C, which a newer SDK that
// has it no more would not compile.
var protocol = regexp.MustCompile(`@protocol\s*\(`)

// Of darwinkit only the runtime is in the build, and nothing that is names a protocol:
// those that do, as darwinkit's own packages of Metal and Foundation, are found.
func TestNoProtocols(t *testing.T) {
	m := load(t)
	var parts []string
	for path, p := range m.packages {
		if strings.HasPrefix(path, darwinkit) {
			parts = append(parts, strings.TrimPrefix(path, darwinkit))
		}
		if len(p.CgoFiles) == 0 || !strings.Contains(path, ".") { // the standard library has none
			continue
		}
		if n := references(t, p.Dir); n > 0 {
			t.Errorf("%s has %d references to protocols", path, n)
		}
	}
	slices.Sort(parts)
	if !slices.Equal(parts, []string{"/objc", "/objc/ffi"}) {
		t.Errorf("%q of darwinkit are in the build, want /objc and what that needs", parts)
	}
	if n := references(t, filepath.Join(m.packages[darwinkit+"/objc"].Dir, "..", "macos", "metal")); n < 40 {
		t.Errorf("%d references are found in darwinkit's Metal, want dozens", n)
	}
}

// references counts those in a folder's files that cgo has compiled.
func references(t *testing.T, folder string) (n int) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !slices.Contains([]string{".go", ".m", ".h", ".c"}, filepath.Ext(f.Name())) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		n += len(protocol.FindAll(text, -1))
	}
	return n
}
