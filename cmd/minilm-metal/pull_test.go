package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// A checkpoint is pulled, found by its id, scores, verifies (and fails, being
// none that anybody published scores of) and is measured.
func TestPull(t *testing.T) {
	const id = "someone/tiny-reranker"
	commit := strings.Repeat("c0ffee11", 5)
	server := pulltest.New(t, pulltest.Repo{ID: id, Commit: commit, Files: testdata.Tiny(), Token: "hf_secret"})
	home := t.TempDir()
	env := map[string]string{"HF_HOME": home, "HF_ENDPOINT": server.URL, "HF_TOKEN": "hf_secret"}

	callIn(t, map[string]string{"HF_HOME": home, "HF_ENDPOINT": server.URL}, "", "pull", id).want(t, failed, id)
	callIn(t, env, "", "score", "--model", id).want(t, failed, "minilm-metal pull "+id)

	o := callIn(t, env, "", "pull", id)
	o.want(t, good)
	dir := strings.TrimSuffix(o.stdout, "\n")
	if want := filepath.Join(home, "hub", "models--someone--tiny-reranker", "snapshots", commit); dir != want {
		t.Errorf("pulled to %q, want %q", dir, want)
	}
	delete(env, "HF_ENDPOINT") // what is there needs no network
	o = callIn(t, env, pairLine(t, "a", "b"), "score", "--model", id)
	o.want(t, good)
	if want := ok(t, pairLine(t, "a", "b"), "score", "--model", tiny(t)); o.stdout != want {
		t.Errorf("pulled, it scores %q, want %q", o.stdout, want)
	}
	o = callIn(t, env, "", "info", "--model", id)
	if !strings.Contains(o.stdout, id+"@"+commit) {
		t.Errorf("info: %s", o.stdout)
	}
	callIn(t, env, "", "bench", "--model", id, "--pairs", "8", "--batch", "4", "--out", filepath.Join(home, "report")).want(t, good)
	if report, err := os.ReadFile(filepath.Join(home, "report", "report.md")); err != nil || !strings.Contains(string(report), "**Model:** `"+id+"`") {
		t.Errorf("the report does not name %s: %v", id, err)
	}
	checkVerifyFails(t, callIn(t, env, "", "verify", "--model", id))
}

func TestPullFlags(t *testing.T) {
	const id = "someone/tiny-reranker"
	commit := strings.Repeat("c0ffee11", 5)
	server := pulltest.New(t, pulltest.Repo{ID: id, Commit: commit, Files: testdata.Tiny(), Refs: []string{"v1"}})
	env := map[string]string{"HF_HOME": t.TempDir()}
	callIn(t, env, "", "pull", id, "--endpoint", server.URL, "--revision", "v2").want(t, failed, "v2")
	callIn(t, env, "", "pull", id, "--endpoint", server.URL, "--revision", "v1").want(t, good)
	callIn(t, env, pairLine(t, "a", "b"), "score", "--model", id+"@v1").want(t, good)
	callIn(t, env, "", "pull", "../up", "--endpoint", server.URL).want(t, failed, "../up")
}

func TestVerify(t *testing.T) {
	checkVerifyFails(t, call(t, "", "verify", "--model", tiny(t)))
	o := call(t, "", "verify", "--model", overflowing(t))
	checkVerifyFails(t, o)
	if !strings.Contains(o.stdout, "NaN") {
		t.Errorf("scores that are not numbers:\n%s", o.stdout)
	}
}

// checkVerifyFails checks that verify said how far off each published score is.
func checkVerifyFails(t *testing.T, o outcome) {
	t.Helper()
	published, err := testdata.PublishedScores()
	if err != nil {
		t.Fatal(err)
	}
	o.want(t, failed, "scores are not the published ones")
	if n := strings.Count(o.stdout, " off "); n != len(published) {
		t.Errorf("%d scores are off, want all %d:\n%s", n, len(published), o.stdout)
	}
	for _, want := range []string{"is not the pinned one, 821d1aa6", "8.607138", "0 of "} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, o.stdout)
		}
	}
}
