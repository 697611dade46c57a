package pull

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

// The token opens a gated model, and no other server than the hub sees it:
// whether storage has another host name, or only another port, which Go's own
// client takes for the same site.
func TestTokenStaysOnItsHost(t *testing.T) {
	for _, otherName := range []bool{true, false} {
		r := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: tinyFiles(), Token: testToken})
		if !otherName {
			r.Storage = strings.Replace(r.Storage, "localhost", "127.0.0.1", 1)
		}
		if _, err := r.pull(); !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "gated") {
			t.Errorf("without a token: %v", err)
		}
		r.Token = "hf_wrong"
		if _, err := r.pull(); !errors.Is(err, ErrDenied) || strings.Contains(err.Error(), "hf_wrong") {
			t.Errorf("with a wrong token: %v", err)
		}
		r.Requests()
		r.Token = testToken
		// A small file that lies elsewhere too.
		config := r.Storage + "/" + testID + "/resolve/" + testCommit + "/config.json?signature=secret"
		r.Fault(pulltest.Fault{Method: "GET", File: hub.ConfigFile, Do: pulltest.Redirect(config)})
		r.mustPull(t)
		hubs, storages := 0, 0
		for _, q := range r.Requests() {
			if q.Storage {
				storages++
				if q.Authorization != "" {
					t.Errorf("storage received %q with %s", q.Authorization, q.Path)
				}
			} else {
				hubs++
				if q.Authorization != "Bearer "+testToken {
					t.Errorf("the hub received %q with %s", q.Authorization, q.Path)
				}
			}
		}
		if hubs == 0 || storages != 2 {
			t.Errorf("%d requests to the hub, %d to storage, want some and 2", hubs, storages)
		}
	}
}

// A redirect away and back carries the token on the hub's part of the way only.
func TestTokenThereAndBack(t *testing.T) {
	r := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: tinyFiles(), Token: testToken})
	r.Token = testToken
	r.Fault(pulltest.Fault{Method: "GET", File: hub.ConfigFile, Times: 1, Do: pulltest.Redirect(r.Storage + "/away")})
	r.Fault(pulltest.Fault{Storage: true, Times: 1, Do: pulltest.Redirect(r.URL + "/" + testID + "/resolve/main/config.json")})
	r.mustPull(t)
	for _, q := range r.Requests() {
		if q.Storage == (q.Authorization != "") {
			t.Errorf("%+v", q)
		}
	}
}

func TestOnEndpoint(t *testing.T) {
	for _, c := range []struct {
		endpoint, at string
		want         bool
	}{
		{"https://huggingface.co", "https://huggingface.co/a/b", true},
		{"https://huggingface.co", "https://HuggingFace.co:443/a/b", true},
		{"https://huggingface.co:443", "https://huggingface.co/a", true},
		{"https://huggingface.co", "https://huggingface.co:444/a", false},
		{"https://huggingface.co", "http://huggingface.co/a", false},
		{"https://huggingface.co", "https://cdn-lfs.huggingface.co/a", false},
		{"https://huggingface.co", "https://huggingface.co.evil.example/a", false},
		{"https://huggingface.co", "https://huggingface.co@evil.example/a", false},
		{"http://mirror.example/hf", "http://mirror.example/x", true},
		{"http://[::1]:80", "http://[::1]/x", true},
	} {
		endpoint, err := parseEndpoint(c.endpoint)
		if err != nil {
			t.Fatal(err)
		}
		at, err := url.Parse(c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&puller{endpoint: endpoint}).onEndpoint(at); got != c.want {
			t.Errorf("%s on %s: %t", c.at, c.endpoint, got)
		}
	}
}

// From https the way never leads to http.
func TestNoDowngrade(t *testing.T) {
	plain := pulltest.New(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: tinyFiles()})
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusFound)
	}))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is meant to fail
	secure.StartTLS()
	defer secure.Close()
	r := newRig(t)
	r.Endpoint, r.Client = secure.URL, secure.Client()
	if _, err := r.pull(); !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), "from https to http") {
		t.Error(err)
	}
	if got := plain.Requests(); len(got) > 0 {
		t.Errorf("the plain server received %+v", got)
	}

	r.Client = nil // which does not know the server's certificate
	if _, err := r.pull(); err == nil || !strings.Contains(err.Error(), "certificate") || len(r.pauses) > 0 {
		t.Errorf("an unknown certificate: %v after the pauses %v", err, r.pauses)
	}
}

// Where nobody listens it is soon given up.
func TestUnreachable(t *testing.T) {
	r := newRig(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	r.Endpoint = gone.URL
	_, err := r.pull()
	if err == nil || !strings.Contains(err.Error(), "3 attempts") || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
	if want := []time.Duration{time.Second, 2 * time.Second}; !slices.Equal(r.pauses, want) {
		t.Errorf("it waited %v, want %v: nobody is there to recover", r.pauses, want)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The caller's client is used, but its own redirects are not.
func TestCallersClient(t *testing.T) {
	r := newRig(t)
	sent, redirected := 0, 0
	r.Client = &http.Client{
		Transport: roundTripper(func(q *http.Request) (*http.Response, error) {
			sent++
			return http.DefaultTransport.RoundTrip(q)
		}),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			redirected++
			return nil
		},
	}
	r.mustPull(t)
	if got := len(r.Requests()); sent != got || redirected != 0 {
		t.Errorf("the client sent %d of %d requests and was asked of %d redirects", sent, got, redirected)
	}
	if r.Client.CheckRedirect(nil, nil); redirected != 1 {
		t.Error("the caller's client was changed")
	}
}

func TestOptionsRefused(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no id":               func(o *Options) { o.ID = "" },
		"climbing id":         func(o *Options) { o.ID = "../x" },
		"path":                func(o *Options) { o.ID = "/tmp/model" },
		"climbing revision":   func(o *Options) { o.Revision = "../x" },
		"two revisions":       func(o *Options) { o.ID, o.Revision = testID+"@a", "b" },
		"no cache":            func(o *Options) { o.Cache = hub.Cache{} },
		"climbing file":       func(o *Options) { o.Files = []string{"../x"} },
		"absolute file":       func(o *Options) { o.Files = []string{"/x"} },
		"backslash in file":   func(o *Options) { o.Files = []string{`a\b`} },
		"empty file":          func(o *Options) { o.Files = []string{""} },
		"endpoint no URL":     func(o *Options) { o.Endpoint = "http://a b" },
		"endpoint no scheme":  func(o *Options) { o.Endpoint = "huggingface.co" },
		"endpoint ftp":        func(o *Options) { o.Endpoint = "ftp://huggingface.co" },
		"endpoint password":   func(o *Options) { o.Endpoint = "https://u:secret@huggingface.co" },
		"endpoint query":      func(o *Options) { o.Endpoint = "https://huggingface.co/?x=1" },
		"token with new line": func(o *Options) { o.Token = "secret\nX-Evil: 1" },
	} {
		r := newRig(t)
		change(&r.Options)
		_, err := Pull(context.Background(), r.Options)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
		if got := r.Requests(); len(got) > 0 {
			t.Errorf("%s: a request was made: %+v", name, got)
		}
	}
}
