// Package pulltest is a Hugging Face hub for tests, on this machine: it serves
// a file system as a repository at a commit, by the protocol of package pull,
// and misbehaves on demand.
//
//	srv := pulltest.New(t, pulltest.Repo{ID: "org/name", Commit: commit, Files: os.DirFS(dir)})
//	srv.Fault(pulltest.Fault{File: "model.safetensors", Times: 1, Do: pulltest.Cut(100)})
//	_, err := pull.Pull(ctx, pull.Options{ID: "org/name", Endpoint: srv.URL, Cache: cache})
//
// Files that end in .safetensors are in large-file storage: the hub redirects
// their GET to a second server of another host and port, as the real one does.
package pulltest

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Repo is what the server serves under one id.
type Repo struct {
	ID      string // "org/name"
	Commit  string // 40 hex digits
	Files   fs.FS
	Refs    []string // branches and tags that mean Commit; nil is main alone
	Aliases []string // old ids, redirected to this one
	Token   string   // if not "", asked of every request
}

// Request is one request that the server, or its storage, has received.
type Request struct {
	Method, Path  string
	File          string // in the repository; "" if the path is of no file
	Storage       bool   // received by the storage server
	Authorization string
	Range         string
	Accept        string // Accept-Encoding
}

// Server is the hub. Its URL is the endpoint to give to pull.
type Server struct {
	URL     string // of the hub
	Storage string // of the server that large files come from

	Caller *http.Client // reaches a server of NewInMemory; nil for New's, which any does

	mu       sync.Mutex
	repos    []Repo
	etags    map[string]string
	faults   []*Fault
	requests []Request
}

// New starts a server, which stops with the test.
func New(t testing.TB, repos ...Repo) *Server {
	t.Helper()
	s := &Server{repos: repos, etags: map[string]string{}}
	hub, storage := httptest.NewUnstartedServer(s.handler(false)), httptest.NewUnstartedServer(s.handler(true))
	// Before they start: a process that a test starts may ask at once, and what it sees of
	// this one is not ordered by anything else. (A host of another name too, not only of
	// another port.)
	s.URL = "http://" + hub.Listener.Addr().String()
	s.Storage = "http://" + strings.Replace(storage.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	for _, server := range []*httptest.Server{hub, storage} {
		server.Start()
		t.Cleanup(server.Close)
	}
	return s
}

// Fault makes the server misbehave, from now on.
func (s *Server) Fault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Requests returns what has been received since the last call of Requests.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	received := s.requests
	s.requests = nil
	return received
}

// handler records a request and answers it, through a fault if one matches.
func (s *Server) handler(storage bool) http.Handler {
	answer := http.HandlerFunc(s.serveHub)
	if storage {
		answer = s.serveStorage
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, file, _ := strings.Cut(r.URL.Path, "/resolve/")
		_, file, _ = strings.Cut(file, "/")
		received := Request{
			Method: r.Method, Path: r.URL.EscapedPath(), File: file, Storage: storage,
			Authorization: r.Header.Get("Authorization"), Range: r.Header.Get("Range"), Accept: r.Header.Get("Accept-Encoding"),
		}
		if fault := s.take(received); fault != nil {
			fault.Do(w, r, answer)
			return
		}
		answer(w, r)
	})
}

// take records a request and returns the fault that is its turn, if any.
func (s *Server) take(received Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, received)
	for i, fault := range s.faults {
		if fault.matches(received) {
			if fault.Times--; fault.Times == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
			return fault
		}
	}
	return nil
}

// serveHub answers /{id}/resolve/{revision}/{file}.
func (s *Server) serveHub(w http.ResponseWriter, r *http.Request) {
	id, rest, found := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/resolve/")
	escaped, file, hasFile := strings.Cut(rest, "/")
	if !found || !hasFile {
		http.Error(w, "no such page", http.StatusNotFound)
		return
	}
	repo := s.repo(id)
	if repo == nil {
		refuse(w, http.StatusNotFound, "RepoNotFound", "Repository not found")
		return
	}
	if id != repo.ID { // as the real hub: relative, with no header of the file
		w.Header().Set("Location", "/"+repo.ID+"/resolve/"+rest)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	if repo.Token != "" && r.Header.Get("Authorization") != "Bearer "+repo.Token {
		refuse(w, http.StatusUnauthorized, "GatedRepo", "Access to this model is restricted")
		return
	}
	if !slices.Contains(repo.revisions(), strings.ReplaceAll(escaped, "%2F", "/")) {
		refuse(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id")
		return
	}
	w.Header().Set("X-Repo-Commit", repo.Commit)
	etag, size, err := s.etag(repo, file)
	if err != nil {
		refuse(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	if !large(file) {
		w.Header().Set("ETag", strconv.Quote(etag))
		serveFile(w, r, repo.Files, file)
		return
	}
	w.Header().Set("X-Linked-Etag", strconv.Quote(etag))
	w.Header().Set("X-Linked-Size", strconv.FormatInt(size, 10))
	w.Header().Set("ETag", `"the redirect's own"`)
	http.Redirect(w, r, s.Storage+"/"+repo.ID+"/resolve/"+repo.Commit+"/"+file+"?signature=secret", http.StatusFound)
}

// serveStorage answers for large files. Like the real one it refuses a request
// that brings credentials beside its address's signature.
func (s *Server) serveStorage(w http.ResponseWriter, r *http.Request) {
	id, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/resolve/")
	_, file, _ := strings.Cut(rest, "/")
	repo := s.repo(id)
	if repo == nil || r.URL.RawQuery != "signature=secret" || r.Header.Get("Authorization") != "" {
		http.Error(w, "bad signature", http.StatusForbidden)
		return
	}
	w.Header().Set("ETag", `"the storage's own"`)
	serveFile(w, r, repo.Files, file)
}

func (s *Server) repo(id string) *Repo {
	for i := range s.repos {
		if s.repos[i].ID == id || slices.Contains(s.repos[i].Aliases, id) {
			return &s.repos[i]
		}
	}
	return nil
}

func (r *Repo) revisions() []string {
	refs := r.Refs
	if refs == nil {
		refs = []string{"main"}
	}
	return append([]string{r.Commit, r.Commit[:7]}, refs...)
}

// etag returns a file's content hash, counted once, and its size.
func (s *Server) etag(repo *Repo, file string) (etag string, size int64, err error) {
	f, err := repo.Files.Open(file)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	if !info.Mode().IsRegular() {
		return "", 0, fs.ErrNotExist
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprintf("%s %s %d %v", repo.ID, file, info.Size(), info.ModTime())
	if s.etags[key] == "" {
		if s.etags[key], err = Etag(f, file, info.Size()); err != nil {
			return "", 0, err
		}
	}
	return s.etags[key], info.Size(), nil
}

// Etag returns the etag that the server gives a file of the given content: the
// sha256 of a large file, else git's blob hash.
func Etag(content io.Reader, file string, size int64) (string, error) {
	var sum hash.Hash
	if large(file) {
		sum = sha256.New()
	} else {
		sum = sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", size)
	}
	if _, err := io.Copy(sum, content); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func large(file string) bool { return strings.HasSuffix(file, ".safetensors") }

// serveFile answers with a file's content, ranges included. The content type is
// fixed: Go would guess one from the bytes.
func serveFile(w http.ResponseWriter, r *http.Request, fsys fs.FS, file string) {
	f, err := fsys.Open(file)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	defer f.Close()
	seeker, ok := f.(io.ReadSeeker)
	if !ok {
		err := errors.New("pulltest: the file system's files cannot seek")
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, seeker)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Error-Code", code)
	w.Header().Set("X-Error-Message", message)
	http.Error(w, message, status)
}
