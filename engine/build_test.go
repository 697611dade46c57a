package engine

import (
	"bytes"
	"runtime/debug"
	"strings"
	"testing"
)

// A version stands for one state of the source, or it is none.
func TestSourceVersion(t *testing.T) {
	ours := func(version string) debug.Module { return debug.Module{Path: module, Version: version} }
	another := debug.Module{Path: "example.org/program", Version: "v3.0.0"}
	replaced := ours("v1.2.3")
	replaced.Replace = &debug.Module{Path: "../fork"}
	release := ours("v1.2.3")
	for _, test := range []struct {
		name string
		info debug.BuildInfo
		want string
	}{
		{"a release", debug.BuildInfo{Main: ours("v1.2.3")}, "v1.2.3"},
		{"a commit", debug.BuildInfo{Main: ours("v0.0.0-20260101000000-0123456789ab")}, "v0.0.0-20260101000000-0123456789ab"},
		{"a commit with changes", debug.BuildInfo{Main: ours("v0.0.0-20260101000000-0123456789ab+dirty")}, ""},
		{"without version control", debug.BuildInfo{Main: ours("(devel)")}, ""},
		{"a test", debug.BuildInfo{Main: ours("")}, ""},
		{"in another program", debug.BuildInfo{Main: another, Deps: []*debug.Module{&release}}, "v1.2.3"},
		{"replaced in another program", debug.BuildInfo{Main: another, Deps: []*debug.Module{&replaced}}, ""},
		{"not to be found", debug.BuildInfo{Main: another}, ""},
	} {
		got := sourceVersion(&test.info)
		if version, _, _ := strings.Cut(got, " "); version != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	tagged := debug.BuildInfo{Main: ours("v1.2.3"), Settings: []debug.BuildSetting{{Key: "-tags", Value: "noasm"}}}
	if got := sourceVersion(&tagged); !strings.Contains(got, "noasm") {
		t.Errorf("%q does not name the tags", got)
	}
}

func TestExecutableID(t *testing.T) {
	id := func(text string) string {
		t.Helper()
		got, err := executableID(bytes.NewReader([]byte(text)))
		if err != nil || got == "" {
			t.Fatalf("%q: %q, %v", text, got, err)
		}
		return got
	}
	const hashes = "AAAAaaaaAAAAaaaa_-00/BBBBbbbbBBBBbbbb_-11/CCCCccccCCCCcccc_-22/"
	const content = "DDDDddddDDDDdddd_-33"
	for _, text := range []string{
		"\x7fELF\x01\x04\x00\x00\x00\x53\x00\x00\x00\x04\x00\x00\x00Go\x00\x00" + hashes + content + "\x00rest",
		"MZ\x00\x00\xff Go build ID: \"" + hashes + content + "\"\n \xff rest",
	} {
		if got := id(text); got != content {
			t.Errorf("%q: %q, want %q", text, got, content)
		}
	}
	// Without one, or with one that says nothing of the content, all bytes count.
	for _, text := range []string{"", "\x7fELF nothing", "Go build ID: \"redacted\"", "Go build ID: \"a/b/c/d\"", "Go build ID: \""} {
		if a, b := id(text+strings.Repeat("x", 100000)), id(text+strings.Repeat("x", 99999)+"y"); a == b {
			t.Errorf("%q: the same %q", text, a)
		}
	}
	first, err := buildID()
	if again, _ := buildID(); err != nil || first == "" || first != again {
		t.Errorf("this program is %q, then %q, %v", first, again, err)
	}
}
