package pull

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

// What can be wrong with the answers to the first questions.
func TestHeadFails(t *testing.T) {
	for _, c := range []struct {
		name string
		act  pulltest.Act
		kind error
		say  string
	}{
		{"no commit", pulltest.Header("X-Repo-Commit", ""), ErrProtocol, "is http://127.0.0.1"},
		{"rubbish commit", pulltest.Header("X-Repo-Commit", "../../../x"), ErrProtocol, "../../../x"},
		{"no etag", pulltest.Header("ETag", ""), ErrProtocol, "etag"},
		{"rubbish etag", pulltest.Header("ETag", `"../../x"`), ErrProtocol, "../../x"},
		{"etag of another kind", pulltest.Header("ETag", `"d41d8cd98f00b204e9800998ecf8427e"`), ErrProtocol, "git blob hash"},
		{"no size", pulltest.Header("Content-Length", ""), ErrProtocol, "size"},
		{"negative size", pulltest.Header("X-Linked-Size", "-1"), ErrProtocol, `"-1"`},
		{"huge size", pulltest.Header("X-Linked-Size", "99999999999999999999"), ErrProtocol, "size"},
		{"large size", pulltest.Header("X-Linked-Size", "1000000000"), ErrMismatch, "at most"},
		{"login page", pulltest.LoginPage(), ErrProtocol, "text/html"},
		{"unknown file", pulltest.Status(404), ErrNotFound, "no such file"},
		{"unknown model", pulltest.Status(404, "X-Error-Code", "RepoNotFound"), ErrNotFound, "no such model"},
		{"unknown revision", pulltest.Status(404, "X-Error-Code", "RevisionNotFound"), ErrNotFound, `no revision "main"`},
		{"gated", pulltest.Status(403, "X-Error-Code", "GatedRepo", "X-Error-Message", "Ask first"), ErrDenied, "accept its terms at http://127.0.0.1"},
		{"private", pulltest.Status(401), ErrDenied, "HF_TOKEN"},
		{"forbidden", pulltest.Status(403), ErrDenied, "403 Forbidden"},
		{"teapot", pulltest.Status(418), ErrProtocol, "418"},
		{"redirect loop", pulltest.Status(302, "Location", "config.json"), ErrProtocol, "more than 20 redirects"},
		{"redirect to nowhere", pulltest.Status(302), ErrProtocol, "without an address"},
		{"redirect to a file", pulltest.Redirect("file:///etc/passwd"), ErrProtocol, "file:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.Fault(pulltest.Fault{File: hub.ConfigFile, Do: c.act})
			_, err := r.pull()
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.say) || !strings.Contains(err.Error(), testID) {
				t.Errorf("%v; want %v with %q", err, c.kind, c.say)
			}
			if len(r.pauses) > 0 {
				t.Errorf("it was tried again after %v", r.pauses)
			}
		})
	}
}

// The length of a redirect's own body is not the file's.
func TestRedirectsOwnLength(t *testing.T) {
	r := newRig(t)
	etag, _ := etagOf(t, hub.WeightsFile)
	r.Fault(pulltest.Fault{Method: "HEAD", File: hub.WeightsFile, Do: pulltest.Status(302,
		"Location", r.Storage, "X-Repo-Commit", testCommit, "X-Linked-Etag", etag, "Content-Length", "100")})
	if _, err := r.pull(); !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), "size") {
		t.Error(err)
	}
}

// An optional file that is denied, or whose question fails, is not taken for
// absent; only the hub's own word of absence is remembered.
func TestOptionalFiles(t *testing.T) {
	r := newRig(t)
	r.Fault(pulltest.Fault{File: hub.SpecialTokensFile, Times: 1, Do: pulltest.Status(403)})
	if _, err := r.pull(); !errors.Is(err, ErrDenied) {
		t.Error(err)
	}
	r.Fault(pulltest.Fault{File: hub.SpecialTokensFile, Times: 1, Do: pulltest.Status(404, "X-Repo-Commit", testCommit)})
	for _, want := range []int{1, 1, 0} { // a bare 404, the hub's own, its memory
		r.Requests()
		r.mustPull(t)
		asked := 0
		for _, q := range r.Requests() {
			if q.File == hub.SpecialTokensFile {
				asked++
			}
		}
		if asked != want {
			t.Errorf("asked %d times, want %d", asked, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		name   string
		header []string
		want   time.Duration
	}{
		{"seconds", []string{"Retry-After", "7"}, 7 * time.Second},
		{"date", []string{"Retry-After", "Wed, 21 Oct 2015 07:28:42 GMT", "Date", "Wed, 21 Oct 2015 07:28:00 GMT"}, 42 * time.Second},
		{"past date", []string{"Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT", "Date", "Wed, 21 Oct 2015 07:29:00 GMT"}, firstPause},
		{"less than ours", []string{"Retry-After", "0"}, firstPause},
		{"rubbish", []string{"Retry-After", "soon"}, firstPause},
		{"negative", []string{"Retry-After", "-5"}, firstPause},
		{"none", nil, firstPause},
	} {
		r := newRig(t)
		var heard []time.Duration
		r.Retrying = func(file string, err error, pause time.Duration) {
			if file != hub.ConfigFile || !strings.Contains(err.Error(), "429 Too Many Requests") {
				t.Errorf("%s: heard of %s: %v", c.name, file, err)
			}
			heard = append(heard, pause)
		}
		r.Fault(pulltest.Fault{File: hub.ConfigFile, Times: 1, Do: pulltest.Status(429, c.header...)})
		r.mustPull(t)
		if want := []time.Duration{c.want}; !slices.Equal(r.pauses, want) || !slices.Equal(heard, want) {
			t.Errorf("%s: slept %v, told of %v, want %v", c.name, r.pauses, heard, want)
		}
	}

	r := newRig(t)
	r.Fault(pulltest.Fault{Do: pulltest.Status(429, "Retry-After", "86400")})
	if _, err := r.pull(); err == nil || !strings.Contains(err.Error(), "24h0m0s") || len(r.pauses) > 0 {
		t.Errorf("%v, slept %v", err, r.pauses)
	}
	r = newRig(t)
	r.Fault(pulltest.Fault{Do: pulltest.Status(503)})
	if _, err := r.pull(); err == nil || !strings.Contains(err.Error(), "6 attempts") {
		t.Error(err)
	}
	if want := []time.Duration{1e9, 2e9, 4e9, 8e9, 16e9}; !slices.Equal(r.pauses, want) {
		t.Errorf("slept %v, want %v", r.pauses, want)
	}
}
