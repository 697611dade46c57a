//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// held makes a named pipe. The function that it returns waits until nobody is left who could write to
// it, and returns what was written, if somebody has; here is called once there is a first word.
func held(t *testing.T, here func()) (path string, written func() string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "held")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	gone := make(chan string, 1)
	go func() {
		f, err := os.Open(path) // once somebody writes
		if err != nil {
			gone <- err.Error()
			return
		}
		defer f.Close()
		word := make([]byte, len("here"))
		n, err := io.ReadFull(f, word)
		if err == nil {
			here()
		}
		rest, _ := io.ReadAll(f)
		gone <- string(word[:n]) + string(rest)
	}()
	return path, func() string {
		for { // where nobody has written, the reader waits for ever
			if f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
				f.Close()
			}
			select {
			case text := <-gone:
				return text
			case <-time.After(time.Millisecond):
			}
		}
	}
}

// What a program has started ends with it, where the trial alone is interrupted and where the program
// has ended as it should.
func TestABLeavesNobody(t *testing.T) {
	for script, want := range map[string]int{
		// A script that waits for its child, which, as those in the background of a shell do, does not
		// heed an interrupt.
		"sh -c 'printf here; sleep 60; echo left' >'%s' 2>&1 & wait":                                      interrupted,
		"case $out in *001-A) exec 3>'%s'; printf here >&3; (sleep 60; echo left) >&3 2>/dev/null & esac": undecided,
	} {
		dir := filepath.Join(t.TempDir(), "out")
		ctx, cancel := context.WithCancel(t.Context())
		path, written := held(t, func() {
			if want == interrupted {
				cancel()
			}
		})
		slow := pretended(t, slower(1), fmt.Sprintf(script, path))
		var stdout, stderr bytes.Buffer
		code := run(ctx, []string{"bench", "ab", "--a-binary", slow, "--b-binary", slow, "--rounds", "1", "--out", dir}, strings.NewReader(""), &stdout, &stderr, func(string) string { return "" })
		if text := written(); code != want || text != "here" {
			t.Errorf("%s: code %d, want %d; stderr %s; %q was written, want only that it was here", script, code, want, &stderr, text)
		}
		cancel()
	}
}

// gitIn returns what runs git in a repository, and skips the test without git.
func gitIn(t *testing.T, repository string) func(args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip(err)
	}
	return func(args ...string) string {
		t.Helper()
		c := exec.Command("git", append([]string{"-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"}, args...)...)
		c.Dir = repository
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
}

// A worktree that git has made is taken away also where git itself was interrupted, here in a hook.
func TestABInterruptedCheckout(t *testing.T) {
	repository := t.TempDir()
	git := gitIn(t, repository)
	git("init", "-q")
	git("commit", "-q", "--allow-empty", "-m", "x")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	path, written := held(t, cancel)
	hooks := filepath.Join(repository, "hooks")
	if err := os.Mkdir(hooks, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(hooks, "post-checkout"), fmt.Appendf(nil, "#!/bin/sh\nexec >'%s'; printf here; sleep 60; echo left\n", path), 0o777); err != nil {
		t.Fatal(err)
	}
	git("config", "core.hooksPath", hooks)
	t.Chdir(repository)
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"bench", "ab", "--a-commit", "HEAD", "--b-commit", "HEAD", "--out", filepath.Join(t.TempDir(), "out")}, strings.NewReader(""), &stdout, &stderr, func(string) string { return "" })
	if text := written(); code != interrupted || text != "here" {
		t.Errorf("code %d, stderr %s, %q was written", code, &stderr, text)
	}
	if trees := git("worktree", "list"); strings.Count(trees, "\n") != 0 {
		t.Errorf("worktrees left:\n%s", trees)
	}
}
