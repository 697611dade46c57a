//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/ab"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// pretended is a program that runs more, a line of a shell, and then "measures" a report that
// was made before: with "$out" as the folder.
func pretended(t *testing.T, r *report.Report, more string) string {
	t.Helper()
	dir := t.TempDir()
	data := filepath.Join(dir, "report.json")
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(data, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\nwhile [ \"$1\" != --out ]; do shift; done\nout=$2\nmkdir -p \"$out\" && cp '%s' \"$out\"\n%s\n", data, more)
	path := filepath.Join(dir, "program")
	if err := os.WriteFile(path, []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	return path
}

func slower(by float64) *report.Report {
	r := report.Derive(recordingtest.SeedLike())
	f := &r.Configs[0]
	f.Throughput.Average /= by
	f.Latency.P50, f.Latency.P95 = f.Latency.P50*by, f.Latency.P95*by
	return r
}

// The exit codes of programs that are the same, slower, faster, wrong, and broken.
func TestABExitCodes(t *testing.T) {
	modeltest.OnlyValues(t)
	normal := pretended(t, slower(1), "")
	for name, c := range map[string]struct {
		b      string
		code   int
		stderr string
		flags  string
	}{
		"same":            {pretended(t, slower(1.01), ""), good, "", ""},
		"faster":          {pretended(t, slower(0.5), ""), good, "", ""},
		"slower":          {pretended(t, slower(1.1), ""), regression, "regression: Throughput (pairs/s), batch=32, conc=1: slower, -9.1 % [-9.1, -9.1]; Latency P95", ""},
		"slower, allowed": {pretended(t, slower(1.1), ""), good, "", "--gate throughput=20% --gate p95=20%"},
		"two rounds":      {pretended(t, slower(1.1), ""), undecided, "no verdict: 2 rounds", "--rounds 2"},
		"P99 of 100":      {pretended(t, slower(1), ""), undecided, "the percentile needs 299", "--gate p99"},
		"inaccurate":      {pretended(t, report.Derive(recordingtest.Failed()), "exit 1"), incomparable, "not comparable: B has no speed figures: accuracy gate not passed", ""},
		"broken":          {pretended(t, slower(1), "echo no such flag >&2; exit 2"), failed, "B: exit status 2: no such flag", ""},
		"silent":          {pretended(t, slower(1), `rm "$out"/*`), failed, "wrote no report into ", ""},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		args := append([]string{"bench", "ab", "--a-binary", normal, "--b-binary", c.b, "--rounds", "7", "--out", dir}, strings.Fields(c.flags)...)
		o := call(t, "", args...)
		o.want(t, c.code, c.stderr)
		if c.code == good && strings.Count(o.stderr, "\n") != 1 { // where it is written
			t.Errorf("%s: stderr %q", name, o.stderr)
		}
		if c.code != failed && c.code != incomparable {
			gates := strings.Fields(strings.ReplaceAll(c.flags, "--rounds 2", ""))
			if len(gates) == 0 {
				gates = []string{"--gate", "throughput"}
			}
			call(t, "", append(append([]string{"compare"}, gates...), dir)...).want(t, c.code)
		}
	}
}

// An interrupted trial ends its run, keeps the rounds that it had, and shows them.
func TestABInterrupted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	waiting := filepath.Join(t.TempDir(), "waiting")
	// The ninth run waits to be ended.
	slow := pretended(t, slower(1), fmt.Sprintf("case $out in *005-*) touch '%s'; exec sleep 600;; esac", waiting))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(waiting); err == nil || t.Context().Err() != nil {
				cancel()
				return
			}
			time.Sleep(5 * time.Millisecond) // nobody says when a file appears
		}
	}()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"bench", "ab", "--a-binary", slow, "--b-binary", slow, "--out", dir}, strings.NewReader(""), &stdout, &stderr, func(string) string { return "" })
	if code != interrupted || !strings.Contains(stderr.String(), "interrupted; the runs until then are in "+filepath.Join(dir, ab.File)) {
		t.Errorf("code %d, stderr %s", code, &stderr)
	}
	if !strings.Contains(stdout.String(), "rounds: 4 of 10, cut short: interrupted") {
		t.Errorf("%s", &stdout)
	}
	if trial, err := ab.Read(filepath.Join(dir, ab.File)); err != nil || len(trial.Rounds) != 4 || trial.CutShort != "interrupted" {
		t.Errorf("%v: %+v", err, trial)
	}
}

// The same on both sides is called an A/A trial: before it, in what is shown, on the page, and
// when it is judged again.
func TestAATrial(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	normal := pretended(t, slower(1), "")
	o := call(t, "", "bench", "ab", "--a-binary", normal, "--b-binary", normal, "--rounds", "7", "--out", dir)
	o.want(t, good, "A/A trial: A and B are one program")
	again := ok(t, "", "compare", dir)
	for where, text := range map[string]string{"shown": o.stdout, "page": content(t, filepath.Join(dir, abPage)), "again": again} {
		if !strings.Contains(text, "A/A trial: A and B are one program") {
			t.Errorf("%s:\n%s", where, text)
		}
	}
}

// Commits are built, each from its own tree, and nothing of that is left in the repository.
func TestABCommits(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs")
	}
	repository := t.TempDir()
	git := gitIn(t, repository)
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(repository, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	write("go.mod", "module example.org/pretended\n\ngo 1.26\n")
	write("cmd/minilm-metal/main.go", `package main

import (
	_ "embed"
	"os"
	"path/filepath"
)

//go:embed report.json
var report []byte

func main() {
	dir := os.Args[len(os.Args)-1]
	if os.MkdirAll(dir, 0o777) != nil || os.WriteFile(filepath.Join(dir, "report.json"), report, 0o666) != nil {
		os.Exit(1)
	}
}
`)
	for _, by := range []float64{1, 1.2} {
		var b bytes.Buffer
		if err := slower(by).WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		write("cmd/minilm-metal/report.json", b.String())
		git("add", ".")
		git("commit", "-qm", "x")
	}
	write("cmd/minilm-metal/report.json", "the user is at work here")
	before := git("status", "--short", "--branch")
	dir := filepath.Join(t.TempDir(), "out")
	t.Chdir(filepath.Join(repository, "cmd"))
	o := call(t, "", "bench", "ab", "--a-commit", "HEAD~1", "--b-commit", "HEAD", "--rounds", "7", "--out", dir)
	o.want(t, regression, "building commit "+git("rev-parse", "--short=12", "HEAD~1"), "regression: ")
	if !strings.Contains(o.stdout, "| Program | commit "+git("rev-parse", "--short=12", "HEAD~1")+" | commit "+git("rev-parse", "--short=12", "HEAD")+" |") {
		t.Errorf("%s", o.stdout)
	}
	call(t, "", "bench", "ab", "--a-commit", "nosuch", "--out", filepath.Join(dir, "2")).want(t, failed, "commit nosuch: ")
	if after := git("status", "--short", "--branch"); after != before {
		t.Errorf("git status was\n%s\nand is\n%s", before, after)
	}
	if trees := git("worktree", "list"); strings.Count(trees, "\n") != 0 {
		t.Errorf("worktrees left:\n%s", trees)
	}
}
