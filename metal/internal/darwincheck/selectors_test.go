package darwincheck

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// newer are the selectors that darwinkit does not send, and why they are right.
var newer = map[string]string{
	"setMathMode:":                   "MTLCompileOptions since macOS 15, which darwinkit is older than; sent to what responds to it",
	"setMathFloatingPointFunctions:": "as setMathMode:",
}

func TestSelectors(t *testing.T) {
	m := load(t)
	known := m.darwinkitSelectors(t)
	all := m.sources(t, driver)
	if err := m.checkSelectors(driver, all, known); err != nil {
		t.Error(err)
	}
	for s := range newer {
		if known[s] {
			t.Errorf("darwinkit sends %q: it needs no reason any more", s)
		}
	}

	// What is found: each of these in a copy of a file.
	replace := func(file, old, by string) map[string]string {
		if strings.Count(all[file], old) != 1 {
			t.Fatalf("%s has %q %d times, want once", file, old, strings.Count(all[file], old))
		}
		return with(all, file, strings.Replace(all[file], old, by, 1))
	}
	add := func(text string) map[string]string {
		return with(all, "messages.go", all["messages.go"]+"\nfunc planted(m *messages, o objc.Object) { "+text+" }\n")
	}
	for _, c := range []struct {
		what   string
		copy   map[string]string
		report string
	}{
		{"a letter too few", replace("selectors.go", `"waitUntilCompleted"`, `"waitUntilComplete"`), `"waitUntilComplete"`},
		{"a colon too few", replace("selectors.go", `"setBuffer:offset:atIndex:"`, `"setBuffer:offset:atIndex"`), `"setBuffer:offset:atIndex"`},
		{"an argument too few", replace("messages.go", "m.sel.setBuffer, b, uint64(offset), uint64(index))", "m.sel.setBuffer, b, uint64(index))"), "2 arguments"},
		{"an argument too many", replace("messages.go", "m.sel.endEncoding)", "m.sel.endEncoding, true)"), "1 arguments"},
		{"a selector that is no literal", add(`objc.Sel("com" + "mit")`), "not a literal"},
		{"a selector outside the table", add(`objc.Sel("commit")`), "outside"},
		{"a selector made at the call", add(`send[objc.Void](m, o, objc.SelectorFrom(nil))`), "not of the table"},
		{"a message of another way", add(`objc.Call[objc.Void](o, m.sel.commit)`), "objc.Call"},
	} {
		err := m.checkSelectors(driver, c.copy, known)
		if err == nil || !strings.Contains(err.Error(), c.report) {
			t.Errorf("%s: %v, want %s", c.what, err, c.report)
		}
	}
}

// darwinkitSelectors returns the selectors in the sources of darwinkit's Metal,
// its Foundation and its runtime.
func (m *mac) darwinkitSelectors(t *testing.T) map[string]bool {
	t.Helper()
	sent := regexp.MustCompile(`objc\.Sel\("([^"]+)"\)`)
	known := map[string]bool{}
	for _, folder := range []string{"/macos/metal", "/macos/foundation", "/objc"} {
		// Only the last is in the build.
		files, err := filepath.Glob(filepath.Join(filepath.Dir(m.packages[darwinkit+"/objc"].Dir), folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", folder, len(files), err)
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range sent.FindAllSubmatch(text, -1) {
				known[string(s[1])] = true
			}
		}
	}
	if len(known) < 1000 {
		t.Fatalf("darwinkit has %d selectors, want thousands", len(known))
	}
	return known
}

// checkSelectors holds a package's table of selectors to those known, and its
// messages to the table.
func (m *mac) checkSelectors(path string, sources map[string]string, known map[string]bool) (all error) {
	files, err := m.parse(m.packages[path], sources)
	if err != nil {
		return err
	}
	report := func(at token.Pos, format string, values ...any) {
		all = errors.Join(all, fmt.Errorf("%s: "+format, slices.Insert(values, 0, any(m.fset.Position(at)))...))
	}
	table := map[string]string{} // field -> selector
	inTable := map[ast.Node]bool{}
	used := map[string]bool{}
	each := func(f func(n ast.Node)) {
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				if n != nil {
					f(n)
				}
				return true
			})
		}
	}
	each(func(n ast.Node) {
		entry, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return
		}
		field, isField := entry.Key.(*ast.Ident)
		if call, ok := entry.Value.(*ast.CallExpr); ok && isField && name(call.Fun) == "objc.Sel" && len(call.Args) == 1 {
			inTable[call] = true
			table[field.Name] = literal(call.Args[0])
		}
	})
	each(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "send" { // the one function that calls objc.Call
				inTable[callIn(n, "objc.Call")] = true
			}
		case *ast.SelectorExpr:
			if name(n.X) == "m.sel" || name(n.X) == "d.sel" {
				used[n.Sel.Name] = true
			}
		case *ast.CallExpr:
			switch name(n.Fun) {
			case "objc.Sel":
				switch s := literal(n.Args[0]); {
				case s == "":
					report(n.Pos(), "a selector that is not a literal")
				case !inTable[n]:
					report(n.Pos(), "selector %q outside the table", s)
				case !known[s] && newer[s] == "":
					report(n.Pos(), "selector %q is not one of darwinkit's", s)
				}
			case "objc.Call":
				if !inTable[n] {
					report(n.Pos(), "objc.Call, where send would count the message")
				}
			case "send":
				field := ""
				if s, ok := n.Args[2].(*ast.SelectorExpr); ok {
					field = s.Sel.Name
				}
				s, ok := table[field]
				if !ok {
					report(n.Pos(), "a selector that is not of the table")
				} else if have := len(n.Args) - 3; have != strings.Count(s, ":") {
					report(n.Pos(), "%d arguments for %q", have, s)
				}
			}
		}
	})
	for field, s := range table {
		if !used[field] {
			all = errors.Join(all, fmt.Errorf("selector %q, %s, is not used", s, field))
		}
	}
	return all
}

// name returns x, p.x, or p of p[T], as text.
func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return name(e.X) + "." + e.Sel.Name
	case *ast.IndexExpr:
		return name(e.X)
	}
	return ""
}

// literal returns the value of a string literal, or "".
func literal(e ast.Expr) string {
	l, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	s, _ := strconv.Unquote(l.Value)
	return s
}

// callIn returns the first call of a function in another, or nil.
func callIn(f *ast.FuncDecl, called string) (found ast.Node) {
	ast.Inspect(f, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok && found == nil && name(c.Fun) == called {
			found = c
		}
		return found == nil
	})
	return found
}
