package pulltest

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// Fault is one way to misbehave, for the requests that it matches. Of several
// that match, the first given acts.
type Fault struct {
	Method  string // "" for any
	File    string // "" for any
	Storage bool   // requests to the storage server, instead of those to the hub
	Times   int    // how often; 0 for ever
	Do      Act
}

// Act answers a request in the server's stead. next is how the server would.
type Act func(w http.ResponseWriter, r *http.Request, next http.Handler)

func (f *Fault) matches(r Request) bool {
	return f.Storage == r.Storage && (f.Method == "" || f.Method == r.Method) && (f.File == "" || f.File == r.File)
}

// Status answers with a status code and headers, given as name, value pairs.
func Status(code int, header ...string) Act {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// Redirect sends the reader elsewhere.
func Redirect(to string) Act { return Status(http.StatusFound, "Location", to) }

// Header answers as usual, but for one header; an empty value takes it away.
func Header(name, value string) Act {
	return rewrite(func(r *httptest.ResponseRecorder) {
		if value == "" {
			r.Header().Del(name)
		} else {
			r.Header().Set(name, value)
		}
	})
}

// IgnoreRange answers a Range request with the whole file and status 200.
func IgnoreRange() Act {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r = r.Clone(r.Context())
		r.Header.Del("Range")
		next.ServeHTTP(w, r)
	}
}

// Cut announces the whole body and ends the connection after n bytes of it.
func Cut(n int) Act {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		recorded := record(r, next)
		body := recorded.Body.Bytes()
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		copyAnswer(w, recorded, body[:min(n, len(body))])
		panic(http.ErrAbortHandler)
	}
}

// Hang sends n bytes of the body, then nothing, until the client goes.
func Hang(n int) Act {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		recorded := record(r, next)
		body := recorded.Body.Bytes()
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		copyAnswer(w, recorded, body[:min(n, len(body))])
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// Drip sends the whole body in so many pieces, with a pause before each.
func Drip(pieces int, pause time.Duration) Act {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		recorded := record(r, next)
		body := recorded.Body.Bytes()
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		copyAnswer(w, recorded, nil)
		for i := range pieces {
			select {
			case <-time.After(pause):
			case <-r.Context().Done(): // the client has gone
				return
			}
			w.Write(body[len(body)*i/pieces : len(body)*(i+1)/pieces])
			http.NewResponseController(w).Flush()
		}
	}
}

// Body answers with the usual headers and a body made from the usual one.
func Body(change func([]byte) []byte) Act {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		recorded := record(r, next)
		recorded.Header().Del("Content-Length")
		copyAnswer(w, recorded, change(recorded.Body.Bytes()))
		http.NewResponseController(w).Flush() // chunked: the length is not said
	}
}

// Corrupt flips one bit of the body's first byte.
func Corrupt() Act {
	return rewrite(func(r *httptest.ResponseRecorder) {
		if body := r.Body.Bytes(); len(body) > 0 {
			body[0] ^= 1
		}
	})
}

// LoginPage answers with the page of a hotel's or company's proxy.
func LoginPage() Act {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte("<html><body>Please log in." + strings.Repeat(" ", 100) + "</body></html>"))
	}
}

// rewrite answers as usual after change has had its way with the answer.
func rewrite(change func(*httptest.ResponseRecorder)) Act {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		recorded := record(r, next)
		change(recorded)
		copyAnswer(w, recorded, recorded.Body.Bytes())
	}
}

// record returns the usual answer, unsent.
func record(r *http.Request, next http.Handler) *httptest.ResponseRecorder {
	recorded := httptest.NewRecorder()
	next.ServeHTTP(recorded, r)
	return recorded
}

func copyAnswer(w http.ResponseWriter, recorded *httptest.ResponseRecorder, body []byte) {
	for name, values := range recorded.Header() {
		if w.Header().Get(name) == "" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(recorded.Code)
	w.Write(body)
	http.NewResponseController(w).Flush()
}
