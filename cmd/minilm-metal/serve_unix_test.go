package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// A Unix socket, which a server that was killed may have left, and which two cannot have.
func TestServeUnix(t *testing.T) {
	dir, err := os.MkdirTemp("", "mm") // a socket's path may have a hundred bytes only
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Skip(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close() // as a program that was killed leaves it
	s := startServing(t, nil, "--unix", path)
	if s.url != "unix:"+path {
		t.Errorf("it listens on %s", s.url)
	}
	c := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	s.ready(t, c, "http://unix")
	ranks(t, c, "http://unix", "", "a", "b")
	call(t, "", "serve", "--unix", path).want(t, failed, fmt.Sprintf("--unix: another program listens on %s already", path))
	call(t, "", "serve", "--health", "--unix", path).want(t, good)
	s.end()
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is left")
	}
}
