package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// fakePython makes an environment with a link to itself, and has pip fail where a file says so.
func fakePython(args []string) int {
	dir := filepath.Dir(filepath.Dir(os.Args[0]))
	switch args[0] {
	case "venv":
		program, err := os.Executable()
		if err == nil {
			err = os.MkdirAll(filepath.Join(args[1], "bin"), 0o777)
		}
		if err == nil {
			err = os.Symlink(program, filepath.Join(args[1], "bin", "python"))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	case "pip":
		if _, err := os.Stat(filepath.Join(dir, "offline")); err == nil {
			fmt.Println("ERROR: No matching distribution found for torch")
			return 1
		}
		if err := os.WriteFile(filepath.Join(dir, "pip"), []byte(strings.Join(args, " ")), 0o666); err != nil {
			return 1
		}
	}
	return 0
}

// An environment is made once, and is complete only when pip says so.
func TestVenv(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a fake Python is a link")
	}
	base, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "env")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	offline := filepath.Join(dir, "offline")
	if err := os.WriteFile(offline, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	var said []string
	say := func(what string) { said = append(said, what) }
	if _, err := Venv(t.Context(), "", dir, base, say); err == nil || !strings.Contains(err.Error(), "No matching distribution found for torch") {
		t.Fatalf("error %v", err)
	}
	if err := os.Remove(offline); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		python, err := Venv(t.Context(), "", dir, base, say)
		if err != nil || python != filepath.Join(dir, "bin", "python") {
			t.Fatalf("%q, %v", python, err)
		}
	}
	if len(said) != 3 || !strings.Contains(said[0], "virtual environment") || !strings.Contains(said[2], "installing") {
		t.Errorf("%q", said)
	}
	text, err := os.ReadFile(filepath.Join(dir, "pip"))
	if err != nil || !strings.Contains(string(text), "-r "+filepath.Join(dir, "requirements.txt")) {
		t.Errorf("pip was asked for %q, %v", text, err)
	}
	if _, err := Venv(t.Context(), "", filepath.Join(dir, "other"), filepath.Join(dir, "gone"), say); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("error %v", err)
	}
}
