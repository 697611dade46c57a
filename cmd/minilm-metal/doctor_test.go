package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/cmd/minilm-metal/internal/doctor"
)

// unzipped returns the files of a zip file by their names in its one folder.
func unzipped(t *testing.T, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		folder, name, _ := strings.Cut(f.Name, "/")
		if want := strings.TrimSuffix(filepath.Base(path), ".zip"); folder != want {
			t.Errorf("%s is not in the folder %s", f.Name, want)
		}
		all[name] = string(text)
	}
	return all
}

// Whichever part fails, all others are in the file, with what they found, and the file is
// written; only then is it an error.
func TestDoctorGoesOn(t *testing.T) {
	var parts []doctor.Part
	for _, one := range examParts {
		parts = append(parts, one.Part)
	}
	for i, bad := range append(parts, doctor.Part{Name: "none"}) {
		var stdout strings.Builder
		p := &program{stdout: &stdout, stderr: io.Discard, getenv: func(string) string { return "" }}
		out := filepath.Join(t.TempDir(), "all.zip")
		err := p.write(t.Context(), out, p.personal(""), doctorIntro, parts, func(_ context.Context, part doctor.Part, _ string, stdout, stderr io.Writer) error {
			fmt.Fprintf(stdout, "what %s found\n", part.Name)
			if part.Name == bad.Name {
				return errors.New("it broke")
			}
			return nil
		})
		if i < len(parts) && (err == nil || !strings.Contains(err.Error(), fmt.Sprintf("1 of %d parts failed", len(parts)))) || i == len(parts) && err != nil {
			t.Errorf("%s fails: %v", bad.Name, err)
		}
		files := unzipped(t, out)
		if len(files) != len(parts)+1 {
			t.Errorf("%s fails: %d files, want README.txt and %d", bad.Name, len(files), len(parts))
		}
		for _, part := range parts {
			verdict := part.Name + ": good after "
			if part.Name == bad.Name {
				verdict = part.Name + ": FAILED after "
			}
			text := files[part.Name+".txt"]
			if !strings.HasPrefix(text, verdict) || !strings.Contains(text, part.What) || !strings.Contains(text, "what "+part.Name+" found\n") {
				t.Errorf("%s fails: %s.txt is\n%s", bad.Name, part.Name, text)
			}
			for what, summary := range map[string]string{"README.txt": files["README.txt"], "standard output": stdout.String()} {
				if !strings.Contains(summary, "\n"+part.Name) && !strings.HasPrefix(summary, part.Name) {
					t.Errorf("%s lacks %s:\n%s", what, part.Name, summary)
				}
			}
		}
	}
}

// A file that is there stays as it is.
func TestDoctorKeepsWhatIsThere(t *testing.T) {
	out := filepath.Join(t.TempDir(), "mine.zip")
	if err := writeNew(out, []byte("mine")); err != nil {
		t.Fatal(err)
	}
	call(t, "", "doctor", "--out", out).want(t, failed, "mine.zip: is there already")
	if err := writeNew(out, nil); err == nil {
		t.Error("written over")
	}
	call(t, "", "doctor", "--out", filepath.Join(out, "no", "folder.zip")).want(t, failed, "--out ")
	call(t, "", "doctor", "--model", out+".no", "--out", out+"2").want(t, failed, "model not found")
	call(t, "", "doctor", "--part", "nosuch").want(t, usage, "no such part")
}

// part does one part of the examination of the tiny checkpoint in this process.
func part(t *testing.T, name string) outcome {
	t.Helper()
	return call(t, "", "doctor", "--part", name, "--model", tiny(t), "--into", t.TempDir())
}

// What parts say of this machine, whatever it is.
func TestDoctorParts(t *testing.T) {
	for name, want := range map[string][]string{
		"machine":         {"version ", "processor ", "memory ", "kernels ", "generic: ", "features ", "variable"},
		"info":            {"device ", "candidates "},
		"metal-library":   {"metal: not available|The compiler said:"},
		"metal-kernels":   {"metal: not available|most threads"},
		"metal-fragments": {"metal: not available|products are right"},
		"verify":          {"pull cross-encoder|another model"},
	} {
		o := part(t, name)
		o.want(t, good)
		for _, text := range want {
			one, other, _ := strings.Cut(text, "|")
			if !strings.Contains(o.stdout, one) && (other == "" || !strings.Contains(o.stdout, other)) {
				t.Errorf("%s: no %q in\n%s", name, text, o.stdout)
			}
		}
	}
	if testing.Short() {
		return
	}
	o := part(t, "verify-builtin")
	o.want(t, good)
	if !strings.Contains(o.stdout, "8 of 8 reference scores are met") {
		t.Errorf("verify-builtin:\n%s", o.stdout)
	}
}
