package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/remote"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/testdata"
)

const secret = "a-key-that-is-nowhere"

// fakeServer speaks one dialect alone, with the scores of the tiny checkpoint, to who has the
// key.
func fakeServer(t *testing.T, dialect string) *httptest.Server {
	t.Helper()
	e, err := engine.OpenFS(testdata.Tiny(), engine.Device("cpu"), engine.Precision("f32"))
	if err != nil {
		t.Fatal(err)
	}
	path := map[string]string{remote.TEI: "/rerank", remote.Cohere: "/v2/rerank", remote.OpenAI: "/v1/embeddings"}[dialect]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Query                   string
			Texts, Documents, Input []string
		}
		switch {
		case r.Header.Get("Authorization") != "Bearer "+secret:
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		case r.URL.Path == "/v1/models":
			fmt.Fprint(w, `{"data":[{"id":"tiny"}]}`)
			return
		case r.URL.Path != path || json.NewDecoder(r.Body).Decode(&body) != nil:
			http.NotFound(w, r)
			return
		}
		var entries []string
		for i, text := range slices.Concat(body.Texts, body.Documents) {
			scores, err := e.Score(r.Context(), nil, []engine.Pair{{Query: body.Query, Passage: text}})
			if err != nil {
				http.Error(w, "{}", http.StatusInternalServerError)
				return
			}
			entries = append(entries, fmt.Sprintf(`{"index":%d,"score":%v,"relevance_score":%[2]v}`, i, scores[0]))
		}
		for i, text := range body.Input {
			entries = append(entries, fmt.Sprintf(`{"index":%d,"embedding":[1,%d]}`, i, len(text)))
		}
		list := "[" + strings.Join(entries, ",") + "]"
		fmt.Fprint(w, map[string]string{remote.TEI: list, remote.Cohere: `{"results":` + list + `}`, remote.OpenAI: `{"data":` + list + `}`}[dialect])
	}))
	t.Cleanup(func() { s.Close(); e.Close() })
	return s
}

// A whole run against a server of each dialect: found by probing, gated, judged again by
// verify, and without the key in anything that is written.
func TestBenchURL(t *testing.T) {
	t.Setenv(urlKey, secret)
	for _, dialect := range remote.Dialects() {
		dir := t.TempDir()
		shown := ok(t, "", "bench", "--url", fakeServer(t, dialect).URL, "--model", tiny(t), "--pairs", "24", "--batch", "2,4", "--concurrency", "2", "--time-bound", "10m", "--force", "--out", dir)
		rec, err := recording.Read(filepath.Join(dir, recording.File))
		if err != nil {
			t.Fatal(err)
		}
		if s := rec.Server; s.Dialect != dialect || !s.Probed || len(rec.Runs) != 2 || len(rec.Runs[1].Batches) != 6 || (rec.Accuracy == nil) != s.Embeds() {
			t.Errorf("%s: %+v, %d runs, accuracy %+v", dialect, s, len(rec.Runs), rec.Accuracy)
		}
		if want := "| **Device:** `server`"; !strings.Contains(shown, want) || !strings.Contains(shown, "(found by probing)") {
			t.Errorf("%s: no %q in\n%s", dialect, want, shown)
		}
		ok(t, "", "bench", "verify", dir)
		files, err := os.ReadDir(dir)
		if err != nil || len(files) < 5 {
			t.Errorf("%d files, %v", len(files), err)
		}
		for _, f := range files {
			if strings.Contains(content(t, filepath.Join(dir, f.Name())), secret) {
				t.Errorf("%s: the key is in %s", dialect, f.Name())
			}
		}
	}
}

// An open loop and a dialect that is named.
func TestBenchURLOpenLoop(t *testing.T) {
	t.Setenv(urlKey, secret)
	dir := t.TempDir()
	ok(t, "", "bench", "--url", fakeServer(t, remote.Cohere).URL, "--dialect", "cohere", "--url-model", "named", "--url-timeout", "10s", "--model", tiny(t),
		"--pairs", "12", "--batch", "4", "--rate", "200", "--time-bound", "10m", "--force", "--out", dir)
	rec, err := recording.Read(filepath.Join(dir, recording.File))
	if err != nil {
		t.Fatal(err)
	}
	if run := rec.Runs[0]; rec.Server.Probed || rec.Server.Model != "named" || run.Loop != "open" || run.Open == nil || len(run.Batches) != 3 {
		t.Errorf("%+v, %+v", rec.Server, run)
	}
	if text := content(t, filepath.Join(dir, report.MarkdownFile)); !strings.Contains(text, "**Dialect:** `cohere` (as named)") {
		t.Errorf("%s", text)
	}
}

// Flags that cannot be meant are refused before anything is asked of a server, and leave
// nothing behind.
func TestBenchURLRefusals(t *testing.T) {
	asked := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked = true }))
	defer s.Close()
	out := filepath.Join(t.TempDir(), "out")
	with := "--url " + s.URL + " --model " + tiny(t) + " "
	for flags, want := range map[string]string{
		"--dialect tei":                                "--dialect: needs --url",
		"--url-model x":                                "--url-model: needs --url",
		"--url-timeout 1s":                             "--url-timeout: needs --url",
		"--url " + s.URL:                               "--url: want --model too",
		with + "--device cpu":                          "--device: cannot be used with --url, which measures a server",
		with + "--isa generic":                         "--isa: cannot be used with --url",
		with + "--precision f32":                       "--precision: cannot be used with --url",
		with + "--workers 1":                           "--workers: cannot be used with --url",
		with + "--length 32":                           "--length: cannot be used with --url",
		with + "--stages":                              "--stages: cannot be used with --url",
		with + "--profile k.pprof":                     "--profile: cannot be used with --url",
		with + "--mix":                                 "--mix: cannot be used with --url",
		with + "--accuracy judged.jsonl":               "--accuracy: cannot be used with --url",
		with + "--overload":                            "--overload: cannot be used with --url",
		with + "--max-queue 8":                         "--max-queue: cannot be used with --url",
		with + "--url-timeout 0":                       "--url-timeout 0s: want a time above 0",
		with + "--url-timeout -1s":                     "--url-timeout -1s: want a time above 0",
		with + "--dialect klingon":                     `--dialect "klingon": want one of tei, cohere, openai`,
		with + "--batch 3,8":                           "want each to divide the largest",
		with + "--concurrency 5000":                    "concurrency 5000, want 1 to",
		"--model x --url localhost:8080":               "--url: remote: bad URL: \"localhost:8080\", want http://host:port",
		"--model x --url ":                             "--url: remote: bad URL",
		"--model x --url http://u:" + secret + "@host": "--url: remote: bad URL: has a user",
	} {
		args := append(strings.Split("bench --out "+out+" "+flags, " "), "--time-bound=10m")
		o := call(t, "", args...)
		o.want(t, usage, want)
		if strings.Contains(o.stderr, secret) {
			t.Errorf("a password is said again: %s", o.stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%s: left something behind", flags)
		}
	}
	if asked {
		t.Error("the server was asked")
	}
	// Nobody there, and somebody who is no such server, are failures and no usage.
	call(t, "", strings.Fields("bench --out "+out+" "+with)...).want(t, failed, "answers in no dialect that is known here", "openai at /v1/embeddings: ")
	if !asked {
		t.Error("the server was not asked")
	}
	s.Close()
	call(t, "", strings.Fields("bench --out "+out+" "+with)...).want(t, failed, "no server answers at http", "is it running?", "tei at /rerank: remote: connection: ")
	if _, err := os.Stat(out); err == nil {
		t.Error("something is left behind")
	}
}
