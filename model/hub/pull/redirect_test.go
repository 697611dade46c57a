package pull

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

// mirror is a server that sends every request on to the same path elsewhere.
func mirror(t *testing.T, code int, to string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Location", to+q.URL.EscapedPath())
		w.Header().Set("ETag", `"the mirror's own"`)
		w.WriteHeader(code)
	}))
	t.Cleanup(s.Close)
	return s
}

var redirects = []int{301, 302, 303, 307, 308}

// A mirror that sends its readers to a hub is followed there, to questions and
// for files, the hub's own renaming and its storage included. The token is the
// mirror's, and goes no further.
func TestMirror(t *testing.T) {
	for _, code := range redirects {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			r := newRig(t, pulltest.Repo{ID: "new/name", Commit: testCommit, Files: tinyFiles(), Aliases: []string{testID}})
			r.ID, r.Token = testID, testToken
			r.Endpoint = mirror(t, code, r.URL).URL
			got := r.mustPull(t)
			if got.Revision != testCommit {
				t.Errorf("pulled %+v", got)
			}
			for _, q := range r.Requests() {
				if q.Authorization != "" {
					t.Errorf("%s %s received %q", q.Method, q.Path, q.Authorization)
				}
			}
		})
	}
}

// What the hub behind a mirror says counts as a hub's word.
func TestMirrorsHubRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		act  pulltest.Act
		kind error
		say  string
	}{
		{"no such model", pulltest.Status(404, "X-Error-Code", "RepoNotFound"), ErrNotFound, "no such model"},
		{"gated", pulltest.Status(401, "X-Error-Code", "GatedRepo"), ErrDenied, "the token goes to http://127.0.0.1"},
		{"login page", pulltest.LoginPage(), ErrProtocol, "text/html"},
		{"no commit", pulltest.Header("X-Repo-Commit", ""), ErrProtocol, "want a commit"},
	} {
		r := newRig(t)
		r.Endpoint = mirror(t, 308, r.URL).URL
		r.Fault(pulltest.Fault{Do: c.act})
		if _, err := r.pull(); !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.say) || len(r.pauses) > 0 {
			t.Errorf("%s: %v after %d pauses; want %v with %q", c.name, err, len(r.pauses), c.kind, c.say)
		}
	}
}

// Redirects of every kind, relative and whole, are followed within the hub.
func TestRedirectsWithinTheHub(t *testing.T) {
	for _, code := range redirects {
		for _, relative := range []bool{true, false} {
			r := newRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: tinyFiles(), Token: testToken})
			r.Token = testToken
			to := "/" + testID + "/resolve/" + testCommit + "/config.json"
			if !relative {
				to = r.URL + to
			}
			for _, method := range []string{"HEAD", "GET"} {
				r.Fault(pulltest.Fault{Method: method, File: hub.ConfigFile, Times: 1, Do: pulltest.Status(code, "Location", to)})
			}
			r.mustPull(t)
			for _, q := range r.Requests() {
				if !q.Storage && q.Authorization == "" {
					t.Errorf("%d: %s %s came without the token", code, q.Method, q.Path)
				}
			}
		}
	}
}

// A redirect that has the file's headers leads to storage: it is not asked of
// them, and its own are not the file's.
func TestStorageIsNotAsked(t *testing.T) {
	r := newRig(t)
	r.mustPull(t)
	for _, q := range r.Requests() {
		if q.Storage && q.Method == "HEAD" {
			t.Errorf("HEAD %s", q.Path)
		}
	}
}

func TestEndlessRedirects(t *testing.T) {
	for _, method := range []string{"HEAD", "GET"} {
		for _, there := range []bool{true, false} {
			r := newRig(t)
			to := r.URL
			if !there {
				to = r.Storage
			}
			n := 0
			next := func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				n++
				w.Header().Set("Location", fmt.Sprintf("%s/%d/x", to, n)) // ever another
				w.WriteHeader(307)
			}
			r.Fault(pulltest.Fault{Method: method, Do: next})
			r.Fault(pulltest.Fault{Method: method, Storage: true, Do: next})
			if _, err := r.pull(); !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), "more than 20 redirects") || n != 21 {
				t.Errorf("%s: %d redirects, %v", method, n, err)
			}
		}
	}
}
