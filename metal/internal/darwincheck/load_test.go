package darwincheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	ours      = "github.com/minilm-metal/minilm-metal"
	darwinkit = "github.com/progrium/darwinkit"
)

// listed is a package as the go command lists it.
type listed struct {
	ImportPath, Dir   string
	GoFiles, CgoFiles []string
	ImportMap         map[string]string
}

func (l *listed) files() []string { return slices.Concat(l.GoFiles, l.CgoFiles) }

// mac is the packages that a Mac compiles, with what they import.
type mac struct {
	fset     *token.FileSet
	packages map[string]*listed
	checked  map[string]*types.Package // what does not change
	withCgo  []string                  // those of ours that have files for macOS with cgo alone
}

func load(t *testing.T) *mac {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not there")
	}
	m := &mac{fset: token.NewFileSet(), checked: map[string]*types.Package{"unsafe": types.Unsafe}}
	m.packages = list(t, "1")
	plain := list(t, "0")
	for path, p := range m.packages {
		if path != ours && !strings.HasPrefix(path, ours+"/") || strings.HasSuffix(path, ".test") {
			continue
		}
		if without := plain[path]; without == nil || slices.ContainsFunc(p.files(), func(f string) bool { return !slices.Contains(without.files(), f) }) {
			m.withCgo = append(m.withCgo, path)
		}
	}
	slices.Sort(m.withCgo)
	if p := m.packages[darwinkit+"/objc"]; p == nil || p.Dir == "" {
		t.Skip("the module " + darwinkit + " is not there")
	}
	return m
}

// list returns the packages of this module, and what they import, as macOS on
// arm64 has them. A package with tests is there twice: as others import it, and with its
// tests, by a name that ends in brackets.
func list(t *testing.T, cgo string) map[string]*listed {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "-test", "-deps",
		"-json=ImportPath,Dir,GoFiles,CgoFiles,ImportMap", ours+"/...")
	list.Env = append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED="+cgo)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]*listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := new(listed)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// parse returns a package's files. Those in instead are read from there.
func (m *mac) parse(p *listed, instead map[string]string) (files []*ast.File, err error) {
	for _, name := range p.files() {
		path := filepath.Join(p.Dir, name)
		var source any
		if text, ok := instead[name]; ok {
			source = text
		}
		f, wrong := parser.ParseFile(m.fset, path, source, parser.SkipObjectResolution)
		if wrong != nil {
			err = errors.Join(err, wrong)
			continue
		}
		files = append(files, f)
	}
	return files, err
}

// check type-checks a package of ours, bodies and all.
func (m *mac) check(path string, instead map[string]string) error {
	p := m.packages[path]
	files, err := m.parse(p, instead)
	if err != nil {
		return err
	}
	var all []error
	config := types.Config{
		Importer:    importer{m, p},
		FakeImportC: true,
		Sizes:       types.SizesFor("gc", "arm64"),
		Error:       func(err error) { all = append(all, err) },
	}
	_, _ = config.Check(path, m.fset, files, nil) // the first of the errors
	return errors.Join(all...)
}

// importer checks what a package imports, bodies left out.
type importer struct {
	*mac
	from *listed
}

func (i importer) Import(path string) (*types.Package, error) {
	if to, ok := i.from.ImportMap[path]; ok {
		path = to
	}
	if done := i.checked[path]; done != nil {
		return done, nil
	}
	p := i.packages[path]
	if p == nil || p.Dir == "" {
		return nil, fmt.Errorf("package %s is not there", path)
	}
	files, err := i.parse(p, nil)
	if err != nil {
		return nil, err
	}
	config := types.Config{
		Importer:         importer{i.mac, p},
		FakeImportC:      true,
		IgnoreFuncBodies: true,
		Sizes:            types.SizesFor("gc", "arm64"),
	}
	done, err := config.Check(path, i.fset, files, nil)
	if err != nil {
		return nil, err
	}
	i.checked[path] = done
	return done, nil
}

// source returns the text of a package's file.
func (m *mac) source(t *testing.T, path, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(m.packages[path].Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sources returns the text of a package's files by name.
func (m *mac) sources(t *testing.T, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range m.packages[path].files() {
		all[name] = m.source(t, path, name)
	}
	return all
}

// with returns a copy in which one file is another.
func with(all map[string]string, name, text string) map[string]string {
	changed := maps.Clone(all)
	changed[name] = text
	return changed
}
