package pull

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxRedirects  = 20 // as huggingface_hub
	headerTimeout = 30 * time.Second
	maxHeader     = 1 << 20 // bytes of an answer's headers
)

// parseEndpoint checks the address of a hub.
func parseEndpoint(s string) (*url.URL, error) {
	if s == "" {
		s = DefaultEndpoint
	}
	u, err := url.Parse(strings.TrimRight(s, "/"))
	switch {
	case err != nil:
		return nil, errors.New("endpoint: not a URL") // the original error repeats the URL with any password in it
	case u.User != nil:
		return nil, fmt.Errorf("endpoint %s: holds a user or password; use a token", u.Redacted())
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("endpoint %q: want http(s)://host, and perhaps a path", s)
	}
	return u, nil
}

// newClient returns a client that follows no redirects by itself. request follows them,
// with its rule for the token.
func newClient(from *http.Client) http.Client {
	var client http.Client
	if from != nil {
		client = *from
	} else if transport, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = transport.Clone()
		transport.ResponseHeaderTimeout = headerTimeout
		transport.MaxResponseHeaderBytes = maxHeader
		client.Transport = transport
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// address is {endpoint}/{id}/resolve/{revision}/{file}. A slash in the revision
// is escaped, those in id and file are not.
func (p *puller) address(revision, file string) (*url.URL, error) {
	parts := strings.Split(file, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return url.Parse(p.endpoint.String() + "/" + p.id + "/resolve/" + url.PathEscape(revision) + "/" + strings.Join(parts, "/"))
}

// onEndpoint reports whether u has the endpoint's scheme, host and port.
func (p *puller) onEndpoint(u *url.URL) bool { return sameOrigin(u, p.endpoint) }

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(hostPort(a), hostPort(b))
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// request sends one request and follows redirects. For a GET it follows all of them. A HEAD
// ends at the answer that has the file's headers, which is the redirect from a hub to its
// storage: a redirect to the same host is followed; one to another host is followed only if
// no answer has named a commit yet, as those of a mirror that sends clients to the hub.
// request returns the last answer and the headers of all answers together; if a header
// occurs more than once, the first value counts. The caller closes the answer's body.
func (p *puller) request(ctx context.Context, method, file, ranged string) (*http.Response, http.Header, error) {
	revision := p.revision
	if p.commit != "" {
		revision = p.commit // all files from one commit, even if a branch moves
	}
	at, err := p.address(revision, file)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	first := http.Header{}
	for range maxRedirects + 1 {
		resp, err := p.send(ctx, method, at, ranged)
		if err != nil {
			return nil, nil, err
		}
		for name, values := range resp.Header {
			if first.Get(name) == "" {
				first[name] = values
			}
		}
		next, err := redirect(resp)
		if err != nil {
			resp.Body.Close()
			return nil, nil, err
		}
		if next == nil || method == http.MethodHead && first.Get(commitHeader) != "" && !sameOrigin(next, at) && !p.onEndpoint(next) {
			return resp, first, nil
		}
		resp.Body.Close()
		at = next
	}
	return nil, nil, fmt.Errorf("%w: more than %d redirects, the last to %s", ErrProtocol, maxRedirects, show(at))
}

// send sends one request, with the token if it goes to the endpoint.
func (p *puller) send(ctx context.Context, method string, at *url.URL, ranged string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrProtocol, show(at))
	}
	req.Header.Set("User-Agent", "minilm-metal")
	req.Header.Set("Accept-Encoding", "identity") // so that sizes and ranges are those of the file itself
	if ranged != "" {
		req.Header.Set("Range", ranged)
	}
	if p.token != "" && p.onEndpoint(at) {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	resp, err := p.client.Do(req)
	if err == nil {
		return resp, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	// url.Error repeats the whole address, including the secrets of a signed one.
	if urlErr := (*url.Error)(nil); errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	err = fmt.Errorf("%s %s: %w", method, show(at), err)
	if certificate := (*tls.CertificateVerificationError)(nil); errors.As(err, &certificate) {
		return nil, err
	}
	if lookup := (*net.DNSError)(nil); errors.As(err, &lookup) && lookup.IsNotFound {
		return nil, &downError{err} // another attempt would not succeed either
	}
	return nil, &transientError{err: err}
}

// redirect returns where an answer redirects to, or nil.
func redirect(resp *http.Response) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	from := resp.Request.URL
	next, err := resp.Location()
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %s redirects without an address", ErrProtocol, show(from))
	case next.Scheme != "https" && next.Scheme != "http", next.Host == "":
		return nil, fmt.Errorf("%w: %s redirects to %q", ErrProtocol, show(from), show(next))
	case from.Scheme == "https" && next.Scheme == "http":
		return nil, fmt.Errorf("%w: %s redirects from https to http", ErrProtocol, show(from))
	}
	next.User = nil
	return next, nil
}

// show returns an address without its query, which may be a signature.
func show(u *url.URL) string {
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}
