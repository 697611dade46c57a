package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A Unix socket, which a server that was killed may have left, and which two cannot have.
func TestServeUnix(t *testing.T) {
	path := leftSocket(t)
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

// One that ends because its model cannot be opened leaves no socket, though it may not have begun to
// answer there.
func TestServeUnixWithoutModel(t *testing.T) {
	path, dir := leftSocket(t), tiny(t)
	if err := os.Truncate(filepath.Join(dir, "model.safetensors"), 100); err != nil {
		t.Fatal(err)
	}
	call(t, "", "serve", "--unix", path, "--model", "tiny="+dir).want(t, failed, "model tiny: ")
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is left")
	}
}

// leftSocket returns the path of a socket as a program that was killed leaves it.
func leftSocket(t *testing.T) string {
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
	left.Close()
	return path
}

// Of servers that start at one moment where a socket was left, one has it, and no other removes it.
func TestServeUnixAtOnce(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders have no locks")
	}
	for range 20 {
		path := leftSocket(t)
		f := &listenFlags{unix: path}
		got := make(chan net.Listener)
		for range 8 {
			go func() {
				all, err := f.open(func(string) string { return "" })
				if err != nil {
					got <- nil
					return
				}
				got <- all[0]
			}()
		}
		var open []net.Listener
		for range 8 {
			if l := <-got; l != nil {
				open = append(open, l)
			}
		}
		if len(open) != 1 {
			t.Errorf("%d servers listen", len(open))
		}
		if c, err := net.Dial("unix", path); err != nil {
			t.Error(err)
		} else {
			c.Close()
		}
		for _, l := range open {
			l.Close()
		}
	}
}
