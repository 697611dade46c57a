package pull

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

// askedInstead answers another range than the one asked for, and says so.
func askedInstead(ranged string) pulltest.Act {
	return func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		q = q.Clone(q.Context())
		q.Header.Set("Range", ranged)
		next.ServeHTTP(w, q)
	}
}

// A server that answers a range otherwise than asked, once: no byte of it is
// taken, and the file is fetched afresh.
func TestRangesOtherwise(t *testing.T) {
	const asked = "bytes=1500000-"
	for _, c := range []struct {
		name string
		act  pulltest.Act
	}{
		{"overlap with what is there", askedInstead("bytes=1000000-")},
		{"a gap after what is there", askedInstead("bytes=2000000-")},
		{"an end before the end", askedInstead("bytes=1500000-1999999")},
		{"several ranges", askedInstead("bytes=1500000-1999999,2000000-2999999")},
		{"from the start, though said to be the rest", func(w http.ResponseWriter, q *http.Request, next http.Handler) {
			q = q.Clone(q.Context())
			q.Header.Set("Range", "bytes=0-1499999")
			pulltest.Header("Content-Range", "bytes 1500000-2999999/3000000")(w, q, next)
		}},
		{"of unknown size", pulltest.Header("Content-Range", "bytes 1500000-2999999/*")},
		{"in another unit", pulltest.Header("Content-Range", "lines 1500000-2999999/3000000")},
	} {
		bubble(t, c.name, func(t *testing.T) {
			r := newMemoryRig(t)
			r.plantPart(t, weights()[:1_500_000])
			r.Fault(storageOnce(c.act))
			r.mustPull(t)
			if got, want := r.ranges(), []string{asked, ""}; !slices.Equal(got, want) {
				t.Errorf("asked for the ranges %q, want %q", got, want)
			}
		})
	}
}

// For ever, each of them ends the pull.
func TestRangesOtherwiseForEver(t *testing.T) {
	for _, ranged := range []string{"bytes=1000000-", "bytes=2000000-", "bytes=1500000-1999999"} {
		bubble(t, ranged, func(t *testing.T) {
			r := newMemoryRig(t)
			r.plantPart(t, weights()[:1_500_000])
			r.Fault(pulltest.Fault{Storage: true, Do: func(w http.ResponseWriter, q *http.Request, next http.Handler) {
				if q.Header.Get("Range") == "" { // afresh: cut, so that another range is asked for
					pulltest.Cut(1_500_000)(w, q, next)
					return
				}
				askedInstead(ranged)(w, q, next)
			}})
			if _, err := r.pull(); err == nil || !strings.Contains(err.Error(), "given up after 6 attempts") {
				t.Error(err)
			}
			if got := len(r.ranges()); got > 2*attempts {
				t.Errorf("%d requests", got)
			}
		})
	}
}

// Answers to a GET that hold no file.
func TestNoFileInTheAnswer(t *testing.T) {
	for _, c := range []struct {
		name string
		act  pulltest.Act
		say  string
	}{
		{"no content", pulltest.Status(204), "204 No Content"},
		{"only a part, unasked for", askedInstead("bytes=0-99"), "Content-Range"},
		{"not modified", pulltest.Status(304), "304 Not Modified"},
		{"choices", pulltest.Status(300), "300 Multiple Choices"},
		{"compressed under the file's length", func(w http.ResponseWriter, q *http.Request, next http.Handler) {
			w.Header().Set("Content-Encoding", "br")
			next.ServeHTTP(w, q)
		}, "br"},
		{"redirected to a login page", func(w http.ResponseWriter, q *http.Request, _ http.Handler) {
			if q.URL.RawQuery == "login" {
				pulltest.LoginPage()(w, q, nil)
				return
			}
			pulltest.Status(307, "Location", "?login")(w, q, nil)
		}, "HTML page"},
	} {
		bubble(t, c.name, func(t *testing.T) {
			r := newMemoryRig(t)
			r.Fault(pulltest.Fault{Method: "GET", Storage: true, Do: c.act})
			if _, err := r.pull(); !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("%v, want %v with %q", err, ErrProtocol, c.say)
			}
			if got := len(r.ranges()); got > 2*attempts {
				t.Errorf("%d requests", got)
			}
		})
	}
}

// The content changes after its hash was announced: to other bytes of the same
// number, to more and to fewer. One that changes at each question ends it too.
func TestFileChanges(t *testing.T) {
	for _, size := range []int{weightLen, weightLen + 1, weightLen - 1} {
		bubble(t, "", func(t *testing.T) {
			files := tinyFiles()
			r := newMemoryRig(t, pulltest.Repo{ID: testID, Commit: testCommit, Files: files})
			r.Fault(pulltest.Fault{Storage: true, Do: func(w http.ResponseWriter, q *http.Request, _ http.Handler) {
				w.Write(slices.Repeat([]byte("y"), size)) // chunked: its length is not said
			}})
			if _, err := r.pull(); err == nil || size >= weightLen && !errors.Is(err, ErrMismatch) {
				t.Errorf("%d bytes: %v", size, err)
			}
			if got := len(r.ranges()); got > 2*attempts {
				t.Errorf("%d bytes: %d requests", size, got)
			}
		})
	}
}

// endless sends the same bytes until the client goes, and counts them.
func endless(sent *atomic.Int64, head, then string) pulltest.Act {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		for line := head; err == nil; line = strings.Repeat(then, 100) {
			var n int
			n, err = conn.Write([]byte(line))
			sent.Add(int64(n))
		}
	}
}

// Headers without end are read up to a bound, and not for ever again.
func TestEndlessHeaders(t *testing.T) {
	for name, act := range map[string]func(*atomic.Int64) pulltest.Act{
		"headers": func(n *atomic.Int64) pulltest.Act {
			return endless(n, "HTTP/1.1 200 OK\r\n", "X-Filler: xxxxxxxxxxxxxxxxxxxx\r\n")
		},
		"one header": func(n *atomic.Int64) pulltest.Act {
			return endless(n, "HTTP/1.1 200 OK\r\nX-Filler: ", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
		},
		"status line": func(n *atomic.Int64) pulltest.Act {
			return endless(n, "HTTP/1.1 200 ", "OKOKOKOKOKOKOKOKOKOKOKOKOKOKOKOK")
		},
		"answers to come": func(n *atomic.Int64) pulltest.Act {
			return endless(n, "", "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n")
		},
		"trailer, on GETs": func(n *atomic.Int64) pulltest.Act {
			return endless(n, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Repo-Commit: "+testCommit+"\r\n\r\n0\r\n", "X-Filler: xxxxxxxxxxxxxxxxxxxx\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t) // with Pull's own client, whose bound it is
			var sent atomic.Int64
			fault := pulltest.Fault{Do: act(&sent)}
			if strings.Contains(name, "GET") {
				fault.Method, fault.File = "GET", hub.ConfigFile
			}
			r.Fault(fault)
			if _, err := r.pull(); err == nil {
				t.Error("no error")
			}
			// The system's buffers take some megabytes more than are read.
			if got, most := sent.Load(), int64(attempts*(maxHeader+8<<20)); got > most {
				t.Errorf("%d bytes were sent, want %d at most", got, most)
			}
		})
	}
}

// What a server says in a header reaches the terminal as text.
func TestHeadersAreQuoted(t *testing.T) {
	for _, name := range []string{"Content-Type", "X-Repo-Commit", "ETag", "X-Linked-Size", "Content-Encoding"} {
		r := newRig(t)
		r.Fault(pulltest.Fault{Method: "HEAD", Do: func(w http.ResponseWriter, q *http.Request, next http.Handler) {
			if name == "Content-Type" { // told of where the commit is missing
				pulltest.Status(200, "Content-Type", "\x1b]0;title\x07")(w, q, next)
				return
			}
			pulltest.Header(name, "\x1b]0;title\x07")(w, q, next)
		}})
		_, err := r.pull()
		if err == nil || strings.ContainsAny(err.Error(), "\x1b\x07") {
			t.Errorf("%s: %q", name, err)
		}
	}
}
