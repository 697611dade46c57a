package pull

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

// Offline a pull makes no request: it answers from the cache, or says what is
// missing there.
func TestOffline(t *testing.T) {
	needLinks(t)
	r := newRig(t)
	r.Offline = true
	refused := func(say ...string) {
		t.Helper()
		_, err := r.pull()
		if !errors.Is(err, ErrOffline) {
			t.Fatal(err)
		}
		for _, want := range say {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not say %q", err, want)
			}
		}
	}
	refused(`no revision "main"`)
	r.Revision = testCommit
	refused("no snapshot of commit " + testCommit)
	dir := filepath.Join(r.Cache.Repo(r.ID), "snapshots", testCommit)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	refused("lacks", "config.json", "model.safetensors")
	r.Revision = ""

	r.Offline = false
	want := r.mustPull(t)
	r.Requests()
	r.Offline = true
	r.done = map[string]int64{}
	for _, revision := range []string{"", "main", testCommit} {
		r.Revision = revision
		if got := r.mustPull(t); got != want {
			t.Errorf("%q: %+v, want %+v", revision, got, want)
		}
	}
	if r.done[hub.WeightsFile] != weightLen || r.done[hub.ConfigFile] == 0 {
		t.Errorf("progress: %v", r.done)
	}
	r.Files = []string{hub.ConfigFile}
	r.mustPullFiles(t)
	r.Files = []string{hub.ConfigFile, "onnx/config.json"}
	refused("lacks", "onnx/config.json")
	r.Files = nil

	damaged := weights()
	damaged[7] ^= 1
	if err := os.WriteFile(strings.TrimSuffix(r.part(t), ".incomplete"), damaged, 0o666); err != nil {
		t.Fatal(err)
	}
	refused("model.safetensors is damaged")
	if err := os.Remove(filepath.Join(want.Dir, hub.WeightsFile)); err != nil {
		t.Fatal(err)
	}
	refused("lacks model.safetensors")
	r.Revision = "v2"
	refused(`no revision "v2"`)
	if got := r.Requests(); len(got) > 0 {
		t.Errorf("offline it requests %+v", got)
	}
}

func TestOfflineShards(t *testing.T) {
	needLinks(t)
	files := tinyFiles()
	delete(files, hub.WeightsFile)
	files[hub.IndexFile] = &fstest.MapFile{Data: []byte(`{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}`)}
	files["model-1.safetensors"] = &fstest.MapFile{Data: []byte("one")}
	files["model-2.safetensors"] = &fstest.MapFile{Data: []byte("two")}
	r := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
	got := r.mustPullFiles(t)
	r.Offline = true
	r.mustPullFiles(t)
	shard := filepath.Join(got.Dir, "model-2.safetensors")
	blob, err := filepath.EvalSymlinks(shard)
	if err == nil {
		err = os.WriteFile(blob, []byte("TWO"), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.pull(); !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), "model-2.safetensors is damaged") {
		t.Error(err)
	}
	if err := os.Remove(shard); err != nil {
		t.Fatal(err)
	}
	if _, err := r.pull(); !errors.Is(err, hub.ErrIncomplete) || !strings.Contains(err.Error(), "lacks model-2.safetensors") {
		t.Error(err)
	}
}

// gone is a client that reaches nobody, in one of the ways that this shows.
func gone(err error) *http.Client {
	return &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, err })}
}

// downs are the ways of a hub to be down: the client that meets it, and the
// fault it meets.
func downs(t *testing.T) map[string]func(r *rig) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	nowhere := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "hub.test", IsNotFound: true}}
	misled := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "server misbehaving", Name: "hub.test", IsTemporary: true}}
	proxy := &net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused}
	fault := func(act pulltest.Act) func(*rig) {
		return func(r *rig) { r.Fault(pulltest.Fault{Do: act}) }
	}
	return map[string]func(*rig){
		"connection refused":       func(r *rig) { r.Client = gone(refused) },
		"no such host":             func(r *rig) { r.Client = gone(nowhere) },
		"name server out of order": func(r *rig) { r.Client = gone(misled) },
		"no proxy":                 func(r *rig) { r.Client = gone(proxy) },
		"500":                      fault(pulltest.Status(500)),
		"502":                      fault(pulltest.Status(502)),
		"503, for a day":           fault(pulltest.Status(503, "Retry-After", "86400")),
		"429":                      fault(pulltest.Status(429)),
		"no answer":                fault(func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }),
		"no end of an answer":      fault(func(_ http.ResponseWriter, q *http.Request, _ http.Handler) { <-q.Context().Done() }),
	}
}

// A hub that is down does not matter where the cache has it all, and is not
// waited for long. The caller hears of it.
func TestDownAndCached(t *testing.T) {
	for name, down := range downs(t) {
		bubble(t, name, func(t *testing.T) {
			r := newMemoryRig(t)
			want := r.mustPull(t)
			if err := os.RemoveAll(filepath.Join(r.Cache.Repo(testID), ".no_exist")); err != nil { // so that there is a question
				t.Fatal(err)
			}
			r.Sleep = nil
			down(r)
			for _, revision := range []string{"", testCommit} {
				r.Revision = revision
				var heard []error
				r.FromCache = func(err error) { heard = append(heard, err) }
				began := time.Now()
				got := r.mustPull(t)
				if got != want {
					t.Errorf("%q: %+v, want %+v", revision, got, want)
				}
				if len(heard) != 1 || !strings.Contains(heard[0].Error(), "HEAD http://hub.test") && !errors.Is(heard[0], errStalled) {
					t.Errorf("%q: heard %v", revision, heard)
				}
				if took := time.Since(began); took > 2*defaultStall+firstPause {
					t.Errorf("%q: it took %v", revision, took)
				}
			}
		})
	}
}

// Where the cache has not all, the hub's being down is the error, with what is
// missing.
func TestDownAndNotCached(t *testing.T) {
	for name, down := range downs(t) {
		bubble(t, name, func(t *testing.T) {
			r := newMemoryRig(t)
			got := r.mustPull(t)
			if err := os.Remove(filepath.Join(got.Dir, hub.VocabFile)); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(got.Dir, hub.TokenizerFile)); err != nil {
				t.Fatal(err)
			}
			r.FromCache = func(err error) { t.Errorf("answered from the cache: %v", err) }
			down(r)
			_, err := r.pull()
			if !errors.Is(err, hub.ErrIncomplete) || !strings.Contains(err.Error(), "lacks tokenizer.json or vocab.txt") {
				t.Errorf("it does not say what is missing: %v", err)
			}
			if !strings.Contains(err.Error(), "HEAD http://hub.test") && !strings.Contains(err.Error(), "brings nothing") {
				t.Errorf("it does not say why: %v", err)
			}
		})
	}
}

// What is no hub's being down is not covered up by the cache: the hub's refusal,
// a wrong answer, a hub that has moved the branch on and then goes down, and the
// caller's own end.
func TestCacheCoversNothingUp(t *testing.T) {
	moved := strings.Repeat("f", 40)
	for _, c := range []struct {
		name   string
		faults []pulltest.Fault
		kind   error
		say    string
	}{
		{"denied", []pulltest.Fault{{Do: pulltest.Status(401)}}, ErrDenied, "401"},
		{"model gone", []pulltest.Fault{{Do: pulltest.Status(404, "X-Error-Code", "RepoNotFound")}}, ErrNotFound, "no such model"},
		{"no hub", []pulltest.Fault{{Do: pulltest.LoginPage()}}, ErrProtocol, "text/html"},
		{"moved on", []pulltest.Fault{
			{Method: "HEAD", File: hub.ConfigFile, Do: pulltest.Header("X-Repo-Commit", moved)},
			{Do: pulltest.Status(503)},
		}, nil, "the hub says is " + moved},
	} {
		bubble(t, c.name, func(t *testing.T) {
			r := newMemoryRig(t)
			r.mustPull(t)
			r.FromCache = func(err error) { t.Errorf("answered from the cache: %v", err) }
			for _, fault := range c.faults {
				r.Fault(fault)
			}
			if _, err := r.pull(); err == nil || c.kind != nil && !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("%v, want %v with %q", err, c.kind, c.say)
			}
		})
	}
	bubble(t, "given up by the caller", func(t *testing.T) {
		r := newMemoryRig(t)
		r.mustPull(t)
		r.FromCache = func(err error) { t.Errorf("answered from the cache: %v", err) }
		ctx, cancel := context.WithCancel(t.Context())
		r.Retrying = func(string, error, time.Duration) { cancel() }
		r.Fault(pulltest.Fault{Do: pulltest.Status(503)})
		if _, err := Pull(ctx, r.Options); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// A hub that hangs is asked six times where nothing else has the answer.
func TestHangingHub(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newMemoryRig(t)
		r.Sleep = nil
		r.Fault(pulltest.Fault{Method: "HEAD", Do: func(_ http.ResponseWriter, q *http.Request, _ http.Handler) { <-q.Context().Done() }})
		began := time.Now()
		if _, err := r.pull(); !errors.Is(err, errStalled) || !strings.Contains(err.Error(), "6 attempts") {
			t.Error(err)
		}
		if took, want := time.Since(began), 6*defaultStall+31*time.Second; took != want {
			t.Errorf("it took %v, want %v", took, want)
		}
		if got := r.Requests(); len(got) != 6 {
			t.Errorf("%d requests", len(got))
		}
	})
}

// What pull takes for the answer from the cache is what package hub finds.
func TestCacheAnswersAsHubFinds(t *testing.T) {
	r := newRig(t)
	want := r.mustPull(t)
	r.Offline = true
	found, err := r.Cache.Resolve(testID)
	if got := r.mustPull(t); err != nil || found != want || got != found {
		t.Errorf("pull answers %+v, hub finds %+v (%v), pulled was %+v", got, found, err, want)
	}
	if names, err := fs.Glob(found.FS(), "*.json"); err != nil || !slices.Contains(names, hub.ConfigFile) {
		t.Errorf("%q, %v", names, err)
	}
}
