package engine_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the list of licences anew")

// licences is the list: a line for each module that any of our packages or their tests
// is built from, in any of the builds.
const licences = "../.ci/licences"

const licencesHeader = `# Every module that one of our packages, or a test of one, is built from on any system,
# and the licences whose texts it comes with (SPDX's names). engine's TestLicences holds
# this to the modules themselves; after a change of go.mod read the new licences, then
#	go test ./engine -run '^TestLicences$' -update
`

// builds are those that there are.
var builds = []struct{ system, processor, cgo string }{
	{"linux", "amd64", "0"}, {"linux", "arm64", "0"}, {"darwin", "arm64", "0"}, {"darwin", "arm64", "1"}, {"windows", "amd64", "0"},
}

// texts are what a licence is known by: all of them are in it, and none of the others.
// White space and quotation marks do not count.
var texts = []struct {
	name          string
	has, hasNot   []string
	alternatively []string
}{
	{name: "Apache-2.0", has: []string{"Apache License", "Version 2.0, January 2004", "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION"},
		alternatively: []string{"Licensed under the Apache License, Version 2.0"}},
	{name: "BSD-2-Clause", has: []string{"Redistribution and use in source and binary forms", "must reproduce the above copyright notice"}, hasNot: []string{"endorse or promote"}},
	{name: "BSD-3-Clause", has: []string{"Redistribution and use in source and binary forms", "must reproduce the above copyright notice", "endorse or promote"}},
	{name: "ISC", has: []string{"distribute this software for any purpose with or without fee is hereby granted", "IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL"}},
	{name: "MIT", has: []string{"Permission is hereby granted, free of charge, to any person obtaining a copy", "The above copyright notice and this permission notice shall be included"}},
}

var (
	space       = regexp.MustCompile(`[\s>"“”'‘’]+`)
	licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]es?|copying)(\.\w+|-\w+)?$`)
)

// plain is a text on one line, without its quotation marks.
func plain(text string) string { return space.ReplaceAllString(text, " ") }

// recognise returns the licences that are in a text, as SPDX says it of several.
func recognise(text string) string {
	text = plain(text)
	in := func(part string) bool { return strings.Contains(text, plain(part)) }
	var found []string
	for _, l := range texts {
		all := !slices.ContainsFunc(l.has, func(part string) bool { return !in(part) })
		if (all || slices.ContainsFunc(l.alternatively, in)) && !slices.ContainsFunc(l.hasNot, in) {
			found = append(found, l.name)
		}
	}
	return strings.Join(found, " AND ")
}

// modules returns the folder of each module that a build on a system is made of. Where
// one is not on this machine it asks for it if it may, and else fails.
func modules(system, processor, cgo string, download bool) (map[string]string, error) {
	cmd := exec.Command("go", "list", "-deps", "-test", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}", "./...")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+processor, "CGO_ENABLED="+cgo) // empty: as usual
	if !download {
		cmd.Env = append(cmd.Env, "GOPROXY=off")
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, said.String())
	}
	all := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			all[path] = dir
		}
	}
	return all, nil
}

// licencesOf returns what is known of the licence of the module in a folder.
func licencesOf(dir string) (string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	all := ""
	for _, f := range files {
		if !f.IsDir() && licenceFile.MatchString(f.Name()) {
			text, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				return "", err
			}
			all += "\n" + string(text)
		}
	}
	if all == "" {
		return "", errors.New("no file with a licence")
	}
	if found := recognise(all); found != "" {
		return found, nil
	}
	return "", fmt.Errorf("a licence that nobody here knows: %.100q", strings.TrimSpace(all))
}

// Each module that we are built from is in the list, with the licence that it comes
// with, and no other is. Of other systems' builds the modules may not be on this
// machine: a build here does not need them. .ci/run has them all.
func TestLicences(t *testing.T) {
	// Read so that go test knows on what its result depends.
	if _, err := os.ReadFile("../go.sum"); err != nil {
		t.Fatal(err)
	}
	everything := *update || os.Getenv("MINILM_ALL_MODULES") != ""
	// What this machine's build needs go test has anyway, or fetches for other packages.
	used, err := modules(runtime.GOOS, runtime.GOARCH, "", true)
	if err != nil {
		t.Fatal(err)
	}
	complete := true
	for _, b := range builds {
		all, err := modules(b.system, b.processor, b.cgo, everything)
		if err != nil && everything {
			t.Fatalf("%s/%s, cgo %s: %v", b.system, b.processor, b.cgo, err)
		}
		if err != nil {
			t.Logf("not looked at: %s/%s, cgo %s: %v", b.system, b.processor, b.cgo, err)
			complete = false
		}
		maps.Copy(used, all)
	}
	found := map[string]string{}
	for path, dir := range used {
		licence, err := licencesOf(dir)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		found[path] = licence
	}
	if *update {
		text := licencesHeader
		for _, path := range slices.Sorted(maps.Keys(found)) {
			text += path + " " + found[path] + "\n"
		}
		if err := os.WriteFile(licences, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(licences)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range compareLicences(string(text), found, complete) {
		t.Error(e)
	}
	if len(found) < 10 {
		t.Errorf("%d modules only", len(found))
	}
}

// compareLicences returns how a list differs from what was found, which may be complete.
func compareLicences(list string, found map[string]string, complete bool) (errs []string) {
	listed := map[string]bool{}
	for line := range strings.Lines(list) {
		path, licence, _ := strings.Cut(strings.TrimSpace(line), " ")
		if path == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if listed[path] {
			errs = append(errs, path+": listed twice")
		}
		listed[path] = true
		switch is, used := found[path]; {
		case !used && complete:
			errs = append(errs, path+": listed, but nothing is built from it")
		case used && is != licence:
			errs = append(errs, fmt.Sprintf("%s: listed as %q, its text is that of %q", path, licence, is))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		if !listed[path] {
			errs = append(errs, fmt.Sprintf("%s: not listed; its licence is %s", path, found[path]))
		}
	}
	return errs
}

// What is missing, superfluous, of another licence or unknown is seen.
func TestLicencesAreCompared(t *testing.T) {
	found := map[string]string{"a.b/one": "MIT", "a.b/two": "BSD-3-Clause"}
	for _, tt := range []struct {
		list     string
		complete bool
		want     []string
	}{
		{"# a comment\na.b/one MIT\na.b/two BSD-3-Clause\n", true, nil},
		{"a.b/one MIT\n", true, []string{"a.b/two: not listed; its licence is BSD-3-Clause"}},
		{"a.b/one MIT\na.b/one MIT\na.b/two BSD-3-Clause\n", true, []string{"a.b/one: listed twice"}},
		{"a.b/one MIT\na.b/three MIT\na.b/two BSD-3-Clause\n", true, []string{"a.b/three: listed, but nothing is built from it"}},
		{"a.b/one MIT\na.b/three MIT\na.b/two BSD-3-Clause\n", false, nil},
		{"a.b/one MIT\na.b/two MIT\n", false, []string{`a.b/two: listed as "MIT", its text is that of "BSD-3-Clause"`}},
	} {
		if got := compareLicences(tt.list, found, tt.complete); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.list, got, tt.want)
		}
	}
	own, err := licencesOf("..")
	if err != nil || own != "Apache-2.0" {
		t.Errorf("ours: %q, %v", own, err)
	}
	dir := t.TempDir()
	if _, err := licencesOf(dir); err == nil {
		t.Error("no file: no error")
	}
	if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte("GNU GENERAL PUBLIC LICENSE\nVersion 3"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := licencesOf(dir); err == nil {
		t.Errorf("GPL is %q", got)
	}
}
