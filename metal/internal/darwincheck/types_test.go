package darwincheck

import (
	"slices"
	"strings"
	"testing"
)

// driver is the package that sends messages.
const driver = ours + "/metal/internal/darwinkit"

func TestTypes(t *testing.T) {
	m := load(t)
	for _, want := range []string{driver, ours + "/metal [" + ours + "/metal.test]"} { // the tests of the GPU
		if !slices.Contains(m.withCgo, want) {
			t.Errorf("%q have files for macOS with cgo alone, want %s among them", m.withCgo, want)
		}
	}
	for _, path := range m.withCgo {
		if err := m.check(path, nil); err != nil {
			t.Errorf("%s:\n%v", path, err)
		}
	}
	// What is found: each of these in a copy of a file.
	const file = "messages.go"
	text := m.source(t, driver, file)
	for _, c := range []struct{ what, planted, report string }{
		{"a method that is not there", "o.Releese()", "Releese"},
		{"an argument of the wrong type", "o.RespondsToSelector(`count`)", "cannot use"},
		{"too few arguments", "o.RespondsToSelector()", "not enough arguments"},
		{"a function that is not there", "objc.Selector_(`count`)", "undefined: objc.Selector_"},
		{"a constant that is not there", "_ = dataTypeUnsigned", "undefined: dataTypeUnsigned"},
		{"a message to another class", "var d mtlDevice; (&messages{}).commit(d)", "cannot use d"},
		{"a result narrower than libffi writes", "send[bool](nil, o, objc.Sel(`count`))", "bool does not satisfy reply"},
		{"a syntax error", "o.Release(", "expected"},
	} {
		err := m.check(driver, map[string]string{file: text + "\nfunc planted(o objc.Object) { " + c.planted + " }\n"})
		if err == nil || !strings.Contains(err.Error(), c.report) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v, want %q in %s", c.what, err, c.report, file)
		}
	}
}
