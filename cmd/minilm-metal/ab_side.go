package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/ab"
)

// sideFlags are the flags of one side.
type sideFlags struct{ flags, binary, commit string }

// check splits the side's flags, and refuses what cannot be meant.
func (s *sideFlags) check(name string) ([]string, error) {
	if s.binary != "" && s.commit != "" {
		return nil, usageError("--%s-binary and --%s-commit: want one of them", name, name)
	}
	if strings.HasPrefix(s.commit, "-") { // git would take it for a flag
		return nil, usageError("--%s-commit %s: is no commit", name, s.commit)
	}
	flags, err := words(s.flags)
	if err == nil {
		err = passable(flags)
	}
	if err != nil {
		return nil, usageError("--%s %q: %w", name, s.flags, err)
	}
	return append([]string{}, flags...), nil
}

// passable refuses the flags of bench that say where a run's report goes: each run has its
// own. Profiles are allowed, since what they cost is worth a trial; each writes over the last.
func passable(flags []string) error {
	for _, flag := range flags {
		name, _, _ := strings.Cut(flag, "=")
		if slices.Contains([]string{"--out", "-o", "--force", "--json", "--open", "--help", "-h"}, name) || strings.HasPrefix(flag, "-o") {
			return fmt.Errorf("%s is not for the sides of a trial", name)
		}
		if name == "--" {
			return errors.New("-- is not for the sides of a trial")
		}
	}
	if len(flags) > 0 && !strings.HasPrefix(flags[0], "-") {
		return fmt.Errorf("%s: want flags of bench", flags[0])
	}
	return nil
}

// prepare finds the program of a side, or builds it in the folder workshop, and says what it
// is.
func (p *program) prepare(ctx context.Context, s *sideFlags, workshop string) (path string, side ab.Side, err error) {
	switch {
	case s.commit != "":
		path, side.Commit, err = p.build(ctx, s.commit, workshop)
	case s.binary != "":
		side.Binary = s.binary
		path, err = exec.LookPath(s.binary)
		if err == nil {
			path, err = filepath.Abs(path)
		}
	default:
		path, err = os.Executable()
	}
	if err != nil {
		return "", side, err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", side, err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", side, err
	}
	side.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return path, side, nil
}

// build builds a commit of the repository that the working directory is in: in a worktree
// below the folder workshop, which is taken away again, so that neither the user's tree nor
// its index is touched.
func (p *program) build(ctx context.Context, revision, workshop string) (path, commit string, err error) {
	if err := os.MkdirAll(workshop, 0o777); err != nil {
		return "", "", err
	}
	top, err := outputOf(ctx, "", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return "", "", fmt.Errorf("commit %s: the working directory must be in the repository that it is built from: %w", revision, err)
	}
	if commit, err = outputOf(ctx, top, "git", "rev-parse", "--verify", "--end-of-options", revision+"^{commit}"); err != nil {
		return "", "", fmt.Errorf("commit %s: no commit, branch or tag of %s has that name: %w", revision, top, err)
	}
	tree := filepath.Join(workshop, "tree")
	_, err = outputOf(ctx, top, "git", "worktree", "add", "--detach", tree, commit)
	added := err == nil
	// Also when ctx is over, and where git was interrupted with the worktree made: one that is left
	// behind is in the user's repository.
	defer func() {
		_, gone := outputOf(context.WithoutCancel(ctx), top, "git", "worktree", "remove", "--force", tree)
		if added {
			err = errors.Join(err, gone)
		}
	}()
	if err != nil {
		return "", "", err
	}
	p.warn("building commit %s", shortHash(commit))
	path = filepath.Join(workshop, "minilm-metal")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if _, err := outputOf(ctx, tree, "go", "build", "-o", path, "./cmd/minilm-metal"); err != nil {
		return "", "", fmt.Errorf("commit %s: %w", revision, err)
	}
	return path, commit, nil
}

// outputOf runs a program in a folder, the working one if that is "", and returns what it
// writes, trimmed. Its error has what the program said of it.
func outputOf(ctx context.Context, dir, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	grouped(c)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if ctx.Err() != nil {
		killGroup(c)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, args[0], err, tail(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// tail is the end of what a program said, in one line.
func tail(text string) string {
	const most = 500
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = "..." + strings.ToValidUTF8(text[len(text)-most:], "")
	}
	return text
}
