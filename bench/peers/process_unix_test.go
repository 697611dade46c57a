//go:build unix

package peers

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// over waits until a process is no more, or only its parent has yet to ask for its end.
func over(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	for range 500 {
		out, _ := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
		if syscall.Kill(pid, 0) != nil || len(out) > 0 && out[0] == 'Z' {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
}

// What a peer has started and forgotten ends with it, though the peer ended as it should.
func TestForgotten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	t.Setenv("PEERS_TEST_PID", file)
	o := options(t, "forgets one")
	var r Recording
	if err := Run(t.Context(), &r, o); err != nil || r.Entries[0].Failure != "" {
		t.Fatalf("%v, %+v", err, r.Entries)
	}
	over(t, file)
}

// An interrupt ends pip and all that it has started, and what was begun is begun anew.
func TestVenvInterrupted(t *testing.T) {
	dir := t.TempDir()
	base, file, env := filepath.Join(dir, "python"), filepath.Join(dir, "pid"), filepath.Join(dir, "env")
	script := "#!/bin/sh\nmkdir -p \"$3/bin\" && : > \"$3/bin/python\"\nsleep 3600 &\necho -n $! > '" + file + ".new' && mv '" + file + ".new' '" + file + "'\nwait\n"
	if err := os.WriteFile(base, []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(file); err == nil {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if _, err := Venv(ctx, "", env, base, func(string) {}); err == nil {
		t.Fatal("no error")
	}
	over(t, file)
	if _, err := os.Stat(filepath.Join(env, "bin", "python")); err == nil {
		t.Error("half an environment is left, which would pass for a whole one")
	}
}

// An environment whose Python is gone is made again.
func TestVenvWithoutPython(t *testing.T) {
	base, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	env := filepath.Join(t.TempDir(), "env")
	for range 2 {
		python, err := Venv(t.Context(), "", env, base, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(python); err != nil { // it must have been there
			t.Fatal(err)
		}
	}
}
