package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
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

// An embedder comes with its modules: pulled, it makes the same embeddings.
func TestPullEmbedder(t *testing.T) {
	const id = "someone/tiny-embedder"
	files, err := synth.Checkpoint{Seed: 3, Kind: synth.Embedder, Shape: synth.Shape{Layers: 1, Hidden: 32, Heads: 2, Intermediate: 32, Vocab: 2000, Positions: 64}}.FS()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	server := pulltest.New(t, pulltest.Repo{ID: id, Commit: strings.Repeat("c0ffee11", 5), Files: files})
	env := map[string]string{"HF_HOME": t.TempDir(), "HF_ENDPOINT": server.URL}
	callIn(t, env, "", "pull", id).want(t, good)
	delete(env, "HF_ENDPOINT")
	o := callIn(t, env, "a\nthe b\n", "embed", "--model", id, "--precision", "f32")
	o.want(t, good)
	if want := ok(t, "a\nthe b\n", "embed", "--model", dir, "--precision", "f32"); o.stdout != want {
		t.Errorf("pulled, its embeddings are %q, want %q", o.stdout, want)
	}
	if o := callIn(t, env, "", "info", "--model", id); !strings.Contains(o.stdout, "pooling: mean") || !strings.Contains(o.stdout, "normalize") {
		t.Errorf("info: %s", o.stdout)
	}
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

// The token is found where huggingface_hub finds it, without a variable.
func TestPullToken(t *testing.T) {
	const id = "someone/tiny-reranker"
	server := pulltest.New(t, pulltest.Repo{ID: id, Commit: strings.Repeat("c0ffee11", 5), Files: testdata.Tiny(), Token: "hf_secret"})
	for _, variable := range []string{"HF_TOKEN_PATH", "HF_HOME"} {
		home, name := t.TempDir(), filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(name, []byte("hf_secret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		env := map[string]string{"HF_HUB_CACHE": home, "HF_ENDPOINT": server.URL, variable: name}
		if variable == "HF_HOME" {
			env[variable] = filepath.Dir(name)
		}
		callIn(t, env, "", "pull", id).want(t, good)
		env["HF_TOKEN"] = "hf_wrong" // which comes first
		env["HF_HUB_CACHE"] = t.TempDir()
		callIn(t, env, "", "pull", id).want(t, failed, "401")
	}
}

// Offline nothing is asked; with the hub down the cache answers, and standard
// error says so.
func TestPullFromCache(t *testing.T) {
	const id = "someone/tiny-reranker"
	server := pulltest.New(t, pulltest.Repo{ID: id, Commit: strings.Repeat("c0ffee11", 5), Files: testdata.Tiny()})
	env := map[string]string{"HF_HOME": t.TempDir(), "HF_ENDPOINT": server.URL, "HF_HUB_OFFLINE": "1"}
	callIn(t, env, "", "pull", id).want(t, failed, "offline", `no revision "main"`, "unset it to download")
	callIn(t, env, "", "pull", hub.MiniLM().ID).want(t, failed, "offline", "has no snapshot of commit "+hub.MiniLM().Revision)
	delete(env, "HF_HUB_OFFLINE")
	pulled := callIn(t, env, "", "pull", id)
	pulled.want(t, good)
	server.Requests()
	env["TRANSFORMERS_OFFLINE"] = "yes"
	if o := callIn(t, env, "", "pull", id); o.code != good || o.stdout != pulled.stdout || o.stderr != "" {
		t.Errorf("offline: %+v", o)
	}
	if got := server.Requests(); len(got) > 0 {
		t.Errorf("offline it requests %+v", got)
	}
	delete(env, "TRANSFORMERS_OFFLINE")
	server.Fault(pulltest.Fault{Do: pulltest.Status(503, "Retry-After", "86400")})
	o := callIn(t, env, "", "pull", id)
	o.want(t, good, "the hub cannot be asked", "503 Service Unavailable", "what the cache has")
	if o.stdout != pulled.stdout {
		t.Errorf("with the hub down it prints %q, want %q", o.stdout, pulled.stdout)
	}
}

func TestVerify(t *testing.T) {
	checkVerifyFails(t, call(t, "", "verify", "--model", tiny(t)))
	o := call(t, "", "verify", "--model", overflowing(t))
	checkVerifyFails(t, o)
	if !strings.Contains(o.stdout, "NaN") {
		t.Errorf("scores that are not numbers:\n%s", o.stdout)
	}
}

// verify computes in float32, but "auto" that somebody asks for is auto, which measures and
// keeps what it found.
func TestVerifyPrecision(t *testing.T) {
	if isa := kernels.Best(); isa == kernels.Generic || len(isa.Formats()) == 1 {
		t.Skipf("%v leaves no choice", isa)
	}
	home := t.TempDir()
	env := map[string]string{"HF_HOME": home, "HOME": home, "USERPROFILE": home, "LocalAppData": home, "XDG_CACHE_HOME": home}
	measured := func(args ...string) (string, bool) {
		o := callIn(t, env, "", append([]string{"verify", "--model", tiny(t), "--device", "cpu"}, args...)...)
		o.want(t, failed, "scores are not the published ones")
		files, err := os.ReadDir(home)
		if err != nil {
			t.Fatal(err)
		}
		return o.stdout, len(files) > 0
	}
	if said, measures := measured(); measures || !strings.Contains(said, "device   cpu, f32\n") {
		t.Errorf("by default it measures (%t):\n%s", measures, said)
	}
	if said, measures := measured("--precision", "auto"); !measures {
		t.Errorf("--precision auto measures nothing:\n%s", said)
	}
}

// The real checkpoint, where somebody has pulled it.
func TestVerifyReal(t *testing.T) {
	p := &program{getenv: os.Getenv}
	if _, err := p.find(hub.MiniLM().ID, hub.Complete); err != nil {
		t.Skip(err)
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"verify"}, nil, &stdout, &stderr, os.Getenv); code != good {
		t.Errorf("code %d\n%s%s", code, stdout.String(), stderr.String())
	}
	if !strings.Contains(stdout.String(), "is the pinned one") {
		t.Errorf("other weights:\n%s", stdout.String())
	}
}

// The real checkpoint's files beside made-up weights in its exact layout take
// the whole way, and are never taken for it.
func TestRealFiles(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set")
	}
	if testing.Short() {
		t.Skip("a model of full size")
	}
	dir, home := t.TempDir(), t.TempDir()
	ok(t, "", "synth", "--out", dir, "--layout", "published")
	for _, name := range []string{hub.ConfigFile, hub.TokenizerFile, hub.TokenizerConfigFile, hub.SpecialTokensFile, hub.VocabFile} {
		data, err := os.ReadFile(filepath.Join(shared, "data", "model-files", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	pin := hub.MiniLM()
	const other = "someone/ms-marco-MiniLM-L-6-v2"
	server := pulltest.New(t,
		pulltest.Repo{ID: pin.ID, Commit: pin.Revision, Files: os.DirFS(dir)},
		pulltest.Repo{ID: other, Commit: strings.Repeat("c0ffee11", 5), Files: os.DirFS(dir)})
	env := map[string]string{"HF_HOME": home, "HF_ENDPOINT": server.URL}
	callIn(t, env, "", "pull", pin.ID).want(t, failed, "pinned")
	callIn(t, env, "", "pull", other).want(t, good)
	checkVerifyFails(t, callIn(t, env, "", "verify", "--model", other))
	report := filepath.Join(home, "report")
	callIn(t, env, "", "bench", "--model", other, "--pairs", "4", "--batch", "2", "--time-bound", "10m", "--out", report).want(t, good)
	callIn(t, env, "", "compare", filepath.Join(shared, "seed", "01_backend_pytorch.md"), report).want(t, incomparable, "no configuration is in both")
	o := callIn(t, env, pairLine(t, "How many people live in Berlin?", "Berlin is well known for its museums."), "tokenize", "--model", other)
	if want := "[101,2129,2116,2111,2444,1999,4068,1029,102,4068,2003,2092,2124,2005,2049,9941,1012,102]"; !strings.Contains(o.stdout, want) {
		t.Errorf("tokens %s, want %s", o.stdout, want)
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
