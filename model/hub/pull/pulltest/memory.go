package pulltest

import (
	"context"
	"net"
	"net/http"
	"syscall"
	"testing"
)

// NewInMemory starts a server on a network of its own, which Server.Caller
// reaches and nothing else. It makes no system calls that wait, so that in a
// bubble of package testing/synctest time passes only while all are idle: a test
// of timeouts then takes no time, and does not depend on how busy the machine is.
func NewInMemory(t testing.TB, repos ...Repo) *Server {
	t.Helper()
	s := &Server{repos: repos, etags: map[string]string{}, URL: "http://hub.test", Storage: "http://storage.test"}
	lines := network{
		"hub.test:80":     serve(t, s.handler(false)),
		"storage.test:80": serve(t, s.handler(true)),
	}
	transport := &http.Transport{DialContext: lines.dial}
	t.Cleanup(transport.CloseIdleConnections)
	s.Caller = &http.Client{Transport: transport}
	return s
}

// network has a listener for each address.
type network map[string]*listener

func (n network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	to := n[address]
	if to == nil {
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	select {
	case to.calls <- far:
		return near, nil
	case <-to.closed:
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// listener is a net.Listener whose connections are pipes.
type listener struct {
	calls  chan net.Conn
	closed chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.calls:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { return nil } // serve's cleanup does it
func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "memory"} }

// serve answers on a listener until the test ends.
func serve(t testing.TB, handler http.Handler) *listener {
	l := &listener{calls: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler}
	t.Cleanup(func() {
		close(l.closed)
		server.Close()
	})
	go server.Serve(l)
	return l
}
