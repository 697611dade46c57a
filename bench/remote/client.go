// Package remote makes calls to a server over HTTP, for the bench to measure it in an
// engine's place. It knows three dialects, each one row of a table: text-embeddings-inference's
// and Cohere's of reranking, which most other servers speak, and OpenAI's of embeddings. The
// score of a pair is then the cosine of its texts' embeddings, of which the query's is asked
// for once a request: other work than a cross-encoder's, and another score. The package
// imports nothing of the engine.
package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultTimeout is that of a request, answer included.
const DefaultTimeout = 30 * time.Second

// longestAnswer is the most bytes of an answer that are read.
const longestAnswer = 64 << 20

// ErrURL is in every error about a URL that cannot be a server's.
var ErrURL = errors.New("remote: bad URL")

// Options say where the server is, and how to speak to it.
type Options struct {
	URL     string        // http://host:port, perhaps with a path that the dialect's is put behind
	Dialect string        // "": the server is probed for it
	Model   string        // the "model" of Cohere's and OpenAI's requests; "": the first one that the server lists
	Key     string        // sent as a bearer token, and kept nowhere else; "": none
	Timeout time.Duration // of a request; 0: DefaultTimeout
	// Connections is how many are kept open between requests: as many as there are callers.
	Connections int
	// Dial makes a connection in the network's place; nil: the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client speaks to one server. All its methods may be called at the same time, once Probe
// has returned.
type Client struct {
	o      Options
	base   string
	http   *http.Client
	target // found by Probe
	about
	requests, sent, received, dials atomic.Int64
}

// New returns a client that has not yet made a request. Its error wraps ErrURL.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil: // whose text has the URL, and with it perhaps a password
		return nil, fmt.Errorf("%w: cannot be parsed, want http://host:port", ErrURL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%w: has a user, a query or a fragment, which would be in the report; want http://host:port", ErrURL)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%w: %q, want http://host:port", ErrURL, o.URL)
	case o.Dialect != "" && !slices.Contains(Dialects(), o.Dialect):
		return nil, fmt.Errorf("remote: dialect %q, want one of %s", o.Dialect, strings.Join(Dialects(), ", "))
	case o.Timeout < 0:
		return nil, fmt.Errorf("remote: time-out %v, want above 0", o.Timeout)
	case o.Timeout == 0:
		o.Timeout = DefaultTimeout
	}
	c := &Client{o: o, base: strings.TrimRight(o.URL, "/")}
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: o.Timeout}).DialContext
	}
	c.http = &http.Client{
		// HTTP/1.1, no proxy, nothing compressed: what is measured is the server.
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c.dials.Add(1)
				return dial(ctx, network, addr)
			},
			MaxIdleConnsPerHost: max(1, o.Connections),
			DisableCompression:  true,
		},
		// Another address is not what was to be measured, and not whom the key is for.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Scores returns the scores of the texts for the query, in the order of the texts. Its error
// is a *Error, or that of ctx.
func (c *Client) Scores(ctx context.Context, query string, texts []string) ([]float64, error) {
	return c.scores(c, ctx, c.path, query, texts)
}

// Close closes the connections that are kept open.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Traffic is what a client has sent and received so far. Bytes are of bodies, as JSON,
// without headers.
type Traffic struct {
	Requests, Sent, Received int64
	Connections              int64 // that were opened, or tried
}

// Traffic returns the sums since New.
func (c *Client) Traffic() Traffic {
	return Traffic{c.requests.Load(), c.sent.Load(), c.received.Load(), c.dials.Load()}
}

// withoutKey is an answer that people may see: servers are known to repeat a key that they
// refuse.
func (c *Client) withoutKey(answer []byte) []byte {
	if c.o.Key == "" {
		return answer
	}
	return bytes.ReplaceAll(answer, []byte(c.o.Key), []byte("(the key)"))
}

// do makes one request, and decodes a complete answer into into. Its error is a *Error, or
// that of ctx.
func (c *Client) do(ctx context.Context, method, path string, body, into any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return fmt.Errorf("remote: %w", err)
		}
	}
	timed, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, errTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(timed, method, c.base+path, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("remote: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.o.Key != "" {
		request.Header.Set("Authorization", "Bearer "+c.o.Key)
	}
	c.requests.Add(1)
	c.sent.Add(int64(len(text)))
	response, err := c.http.Do(request)
	if err != nil {
		return broken(ctx, timed, KindConnection, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer+1))
	c.received.Add(int64(len(answer)))
	switch {
	case err != nil:
		return broken(ctx, timed, KindBody, err)
	case response.StatusCode != http.StatusOK:
		return &Error{Kind: fmt.Sprintf("status %d", response.StatusCode), Status: response.StatusCode,
			err: fmt.Errorf("answered %.200q", c.withoutKey(answer))}
	case len(answer) > longestAnswer:
		return &Error{Kind: KindBody, err: fmt.Errorf("more than %d bytes", longestAnswer)}
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return &Error{Kind: KindBody, err: err}
	}
	return nil
}
