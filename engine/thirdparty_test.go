package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// thirdParty is the file that every release archive and image has with it: the texts of
// the licences of all that is linked into the command, of any of the builds.
const thirdParty = "../.ci/third-party-licences.txt"

const thirdPartyHeader = `minilm-metal is under the Apache License 2.0; its text is in LICENSE. The program has
code of others in it, which is under the licences below: that of Go, and those of the
modules named before each text, with their notices. Not each build has all of them.

(Written by "go test ./engine -run '^TestThirdParty$' -update", which the same test
without -update holds to the modules themselves.)
`

// Licences' texts, and the notices that Apache's licence wants kept.
var kept = regexp.MustCompile(`(?i)^((un)?licen[cs]es?|copying|patents|notices?)([.-]\w+)?$`)

// source is a module with the folders that what is linked of it lies in.
type source struct {
	module, root string
	folders      map[string]bool
}

// linked returns, by path, the modules whose packages a build of the command is made of.
func linked(system, processor, cgo string, download bool) (map[string]source, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module", "./cmd/minilm-metal")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+processor, "CGO_ENABLED="+cgo)
	if !download {
		cmd.Env = append(cmd.Env, "GOPROXY=off")
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, said.String())
	}
	all := map[string]source{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir    string
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		m := p.Module
		if m == nil || m.Main { // the standard library, or ours
			continue
		}
		if _, known := all[m.Path]; !known {
			all[m.Path] = source{m.Path + " " + m.Version, m.Dir, map[string]bool{}}
		}
		all[m.Path].folders[p.Dir] = true
	}
}

// textsOf returns the texts that are to be kept of a module by their paths in it: those
// beside the packages that are linked, and in the folders above them, since a part that
// was taken over from elsewhere has its own.
func textsOf(s source) (map[string]string, error) {
	found := map[string]string{}
	for folder := range s.folders {
		for {
			files, err := os.ReadDir(folder)
			if err != nil {
				return nil, err
			}
			for _, f := range files {
				if !f.Type().IsRegular() || filepath.Ext(f.Name()) == ".go" || !kept.MatchString(f.Name()) {
					continue
				}
				path := filepath.Join(folder, f.Name())
				text, err := os.ReadFile(path)
				if err != nil {
					return nil, err
				}
				name, err := filepath.Rel(s.root, path)
				if err != nil {
					return nil, err
				}
				found[filepath.ToSlash(name)] = tidy(string(text))
			}
			above := filepath.Dir(folder)
			if folder == s.root || above == folder {
				break
			}
			folder = above
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no licence", s.module)
	}
	return found, nil
}

// tidy is a text whose lines end alike and in no blanks.
func tidy(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\f")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n") + "\n"
}

// sections are the parts of the file, a text each below the names of those who have it
// word for word.
func sections(modules map[string]source) ([]string, error) {
	owners := map[string][]string{}
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		s := modules[path]
		texts, err := textsOf(s)
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			owners[texts[name]] = append(owners[texts[name]], s.module+", "+name)
		}
	}
	var parts []string
	for text, names := range owners {
		parts = append(parts, strings.Repeat("=", 78)+"\n"+strings.Join(names, "\n")+"\n"+strings.Repeat("-", 78)+"\n"+text)
	}
	slices.Sort(parts)
	return parts, nil
}

// goItself is Go's standard library and runtime, as a module that is linked always.
func goItself(t *testing.T) source {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(string(out))
	return source{"Go's standard library", root, map[string]bool{root: true}}
}

// The file has every text, and no other. The modules of other systems' builds, which may
// not be on this machine, are asked for where TestLicences asks for them.
func TestThirdParty(t *testing.T) {
	if _, err := os.ReadFile("../go.sum"); err != nil { // so that go test's cache knows
		t.Fatal(err)
	}
	everything := *update || os.Getenv("MINILM_ALL_MODULES") != ""
	all := map[string]source{"Go": goItself(t)}
	missing := ""
	for _, b := range builds {
		modules, err := linked(b.system, b.processor, b.cgo, everything)
		if err != nil && everything {
			t.Fatalf("%s/%s, cgo %s: %v", b.system, b.processor, b.cgo, err)
		} else if err != nil {
			missing = fmt.Sprintf("%s/%s, cgo %s: %v", b.system, b.processor, b.cgo, err)
			continue
		}
		for path, s := range modules {
			if before, known := all[path]; known {
				maps.Copy(before.folders, s.folders)
			} else {
				all[path] = s
			}
		}
	}
	if _, err := textsOf(all["Go"]); err != nil { // some systems' packages of Go leave it out
		missing = err.Error()
		delete(all, "Go")
	}
	if missing != "" {
		t.Skipf("not all modules are here, and MINILM_ALL_MODULES, which fetches them, is not set: %s", missing)
	}
	parts, err := sections(all)
	if err != nil {
		t.Fatal(err)
	}
	want := thirdPartyHeader + "\n" + strings.Join(parts, "\n")
	if *update {
		if err := os.WriteFile(thirdParty, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(thirdParty)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Errorf("%d modules only", len(all))
	}
	if string(got) == want {
		return
	}
	for _, part := range parts {
		if !strings.Contains(string(got), part) {
			t.Errorf("lacks, or has otherwise:\n%.400s", part)
		}
	}
	t.Errorf("%s is not what -update writes", thirdParty)
}

// Texts of parts below a module's own, notices, and the same text of two modules.
func TestThirdPartySections(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"one/LICENSE": "Same.\r\n", "one/NOTICE.txt": "\nOne's notice. \n", "one/part/inner/COPYING": "Inner.",
		"one/unlinked/LICENSE": "Not linked.", "two/LICENCE.md": "Same.\n", "two/licences.go": "package two", "none/README": "",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string, folders ...string) source {
		s := source{name + " v1", filepath.Join(root, name), map[string]bool{}}
		for _, f := range folders {
			s.folders[filepath.Join(s.root, filepath.FromSlash(f))] = true
		}
		return s
	}
	parts, err := sections(map[string]source{"one": at("one", "part/inner"), "two": at("two", "")})
	if err != nil {
		t.Fatal(err)
	}
	head, rule := strings.Repeat("=", 78)+"\n", "\n"+strings.Repeat("-", 78)+"\n"
	want := []string{
		head + "one v1, LICENSE\ntwo v1, LICENCE.md" + rule + "Same.\n",
		head + "one v1, NOTICE.txt" + rule + "One's notice.\n",
		head + "one v1, part/inner/COPYING" + rule + "Inner.\n",
	}
	if !slices.Equal(parts, want) {
		t.Errorf("%q\nwant %q", parts, want)
	}
	if _, err := sections(map[string]source{"none": at("none", "")}); err == nil {
		t.Error("a module without a licence: no error")
	}
}
