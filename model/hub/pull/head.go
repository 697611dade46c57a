package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/hub"
)

// metadata is what a HEAD request says about a file.
type metadata struct {
	commit string // 40 hex digits
	etag   string // hash of the content: sha256 (64 hex digits) or git blob hash (40)
	size   int64  // bytes
}

// absentError is the hub's answer that a commit does not have a file.
type absentError struct {
	commit string // as the hub named it, or ""
	err    error
}

func (e *absentError) Error() string { return e.err.Error() }
func (e *absentError) Unwrap() error { return e.err }

// commitHeader is only in a hub's answers: the commit that the revision means.
const commitHeader = "X-Repo-Commit"

// head asks the hub for a file's metadata, with retries.
func (p *puller) head(ctx context.Context, file string) (metadata, error) {
	var meta metadata
	most := attempts
	if p.spare {
		most = spareTries
	}
	err := p.retry(ctx, file, most, func(ctx context.Context, _ func(int)) (int64, error) {
		resp, header, err := p.request(ctx, http.MethodHead, file, "")
		if err != nil {
			return 0, err
		}
		resp.Body.Close()
		meta, err = p.readHead(resp, header)
		return 0, err
	})
	if err != nil {
		return metadata{}, err
	}
	return meta, p.check(file, meta)
}

// readHead reads the metadata from an answer and from the headers of all answers before it.
func (p *puller) readHead(resp *http.Response, header http.Header) (metadata, error) {
	from := show(resp.Request.URL)
	if resp.StatusCode >= 400 || resp.StatusCode < 200 {
		return metadata{}, p.statusError(resp)
	}
	meta := metadata{commit: header.Get(commitHeader)}
	if !hub.IsCommit(meta.commit) {
		return metadata{}, fmt.Errorf("%w: %s (%s, content type %.100q) has the %s header %.100q, want a commit: is %s a Hugging Face hub?",
			ErrProtocol, from, status(resp), resp.Header.Get("Content-Type"), commitHeader, meta.commit, p.endpoint)
	}
	etag := header.Get("X-Linked-Etag")
	if etag == "" {
		etag = resp.Header.Get("ETag")
	}
	meta.etag = strings.ToLower(strings.Trim(strings.TrimPrefix(etag, "W/"), `"`))
	if !isEtag(meta.etag) {
		return metadata{}, fmt.Errorf("%w: %s has the etag %.100q, want a sha256 or a git blob hash", ErrProtocol, from, etag)
	}
	size := header.Get("X-Linked-Size")
	if size == "" && resp.StatusCode == http.StatusOK { // the length of a redirect is not the file's
		if coding := encoding(resp); coding != "" {
			return metadata{}, fmt.Errorf("%w: %s is encoded (%.100q), though asked not to be, and its length is not the file's", ErrProtocol, from, coding)
		}
		size = resp.Header.Get("Content-Length")
	}
	var err error
	if meta.size, err = strconv.ParseInt(size, 10, 64); err != nil || meta.size < 0 {
		return metadata{}, fmt.Errorf("%w: %s has the size %.100q, want bytes", ErrProtocol, from, size)
	}
	return meta, nil
}

// statusError returns the error of an answer that is not a success: an absentError for a
// missing file, a transient error if another attempt may succeed.
func (p *puller) statusError(resp *http.Response) error {
	at := resp.Request.URL
	what := fmt.Sprintf("%s %s: %s", resp.Request.Method, show(at), status(resp))
	if message := resp.Header.Get("X-Error-Message"); message != "" {
		what += fmt.Sprintf(" (%.200q)", message)
	}
	if resp.Request.Method == http.MethodGet && !p.onEndpoint(at) && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
		// The storage's signed address has expired; the hub gives out a new one.
		return &transientError{err: fmt.Errorf("%w: %s", ErrProtocol, what)}
	}
	code := resp.Header.Get("X-Error-Code")
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		if code == "GatedRepo" && p.onEndpoint(at) {
			return fmt.Errorf("%w: %s: the model is gated: accept its terms at %s/%s and give a token (HF_TOKEN)", ErrDenied, what, p.endpoint, p.id)
		}
		if !p.onEndpoint(at) {
			return fmt.Errorf("%w: %s, which %s redirects to: the token goes to %[3]s alone", ErrDenied, what, p.endpoint)
		}
		return fmt.Errorf("%w: %s: no such model, or a private one, or a wrong token (HF_TOKEN)", ErrDenied, what)
	case http.StatusNotFound:
		switch code {
		case "RepoNotFound":
			return fmt.Errorf("%w: %s: no such model", ErrNotFound, what)
		case "RevisionNotFound":
			return fmt.Errorf("%w: %s: no revision %q", ErrNotFound, what, p.revision)
		}
		absent := &absentError{err: fmt.Errorf("%w: %s: no such file", ErrNotFound, what)}
		if commit := resp.Header.Get(commitHeader); code == "EntryNotFound" && hub.IsCommit(commit) {
			absent.commit = commit
		}
		return absent
	case http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &transientError{err: errors.New(what), after: retryAfter(resp.Header)}
	}
	return fmt.Errorf("%w: %s", ErrProtocol, what)
}

// status describes an answer's code in our words, not the server's.
func status(resp *http.Response) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
}

// encoding returns the coding of an answer's body, "" for none.
func encoding(resp *http.Response) string {
	coding := resp.Header.Get("Content-Encoding")
	if strings.EqualFold(coding, "identity") {
		return ""
	}
	return coding
}
