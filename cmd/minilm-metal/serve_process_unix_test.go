//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// process is serve as a process of its own, which is ready.
type process struct {
	*exec.Cmd
	url string
	log *lockedBuffer
}

// startProcess starts serve below a shell's script, with a tiny model, and waits until it is ready.
func startProcess(t *testing.T, dir, script string, args ...string) *process {
	t.Helper()
	p := &process{log: new(lockedBuffer)}
	p.Cmd = command(t, "", script, append([]string{"serve", "--model", "tiny=" + dir, "--precision", "f32"}, args...)...)
	p.Stderr = p.log
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill(); p.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v; %s", err, p.log)
	}
	p.url = strings.TrimSpace(line)
	(&serving{log: p.log}).ready(t, http.DefaultClient, p.url)
	return p
}

// ended waits for the process's end, and returns its exit code.
func (p *process) ended() int {
	p.Wait()
	return p.ProcessState.ExitCode()
}

// SIGTERM under load: every question that the server has read is answered, to clients that keep
// connections open and do not look whether it is ready, and none twice. The process ends with
// code 0.
func TestServeTerminated(t *testing.T) {
	p := startProcess(t, tiny(t), `exec "$@"`, "--port", "0", "--drain-delay", "500ms", "--log-level", "debug")
	l := newLoad(t)
	l.start(8, func() string { return p.url })
	l.until(func() bool { return l.answers.Load() > 500 })
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	before := l.answers.Load()
	l.until(func() bool { return strings.Contains(p.log.String(), "ending: not ready any more") })
	r, err := http.Get(p.url + "/health")
	if err != nil || r.StatusCode != 503 {
		t.Fatalf("after SIGTERM: %v, %v", r, err)
	}
	r.Body.Close()
	if code := p.ended(); code != good {
		t.Errorf("code %d; %s", code, p.log)
	}
	l.end.Store(true)
	l.clients.Wait()
	answered := int64(strings.Count(p.log.String(), "path=/rerank dialect=tei status=200"))
	if got := l.answers.Load(); got != answered {
		t.Errorf("the server has answered %d questions, and clients have %d answers", answered, got)
	}
	if l.answers.Load() == before {
		t.Error("nothing was answered while it was ending")
	}
	if strings.Contains(p.log.String(), "status=4") || strings.Contains(p.log.String(), "path=/rerank dialect=tei status=5") {
		t.Errorf("questions were refused: %s", p.log)
	}
	t.Logf("%d answers, %d after SIGTERM; %d attempts to connect or ask after its end", answered, answered-before, l.errors.Load())
}

// A second SIGTERM ends it at once, and requests that take longer than --shutdown-timeout are
// interrupted.
func TestServeTerminatedAtOnce(t *testing.T) {
	p := startProcess(t, tiny(t), `exec "$@"`, "--port", "0", "--drain-delay", "1m") // after which its code is 0
	for range 2 {
		p.Process.Signal(syscall.SIGTERM)
		(&load{}).until(func() bool { return strings.Contains(p.log.String(), "ending: not ready any more") })
	}
	p.Wait()
	if status := p.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("%v", p.ProcessState)
	}

	// A client that has not sent its body: it is cut off, and the server says so.
	p = startProcess(t, tiny(t), `exec "$@"`, "--port", "0", "--drain-delay", "0", "--shutdown-timeout", "10ms")
	c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST /rerank HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "100") { // its request is being read
		t.Fatal(line, err)
	}
	p.Process.Signal(syscall.SIGTERM)
	if code := p.ended(); code != interrupted || !strings.Contains(p.log.String(), "10ms, the limit of --shutdown-timeout") {
		t.Errorf("code %d; %s", code, p.log)
	}
}

// Killed and started again under load, again and again: clients see connections fail, and never
// a wrong answer, or half of one that looks whole.
func TestServeKilled(t *testing.T) {
	dir, l := tiny(t), newLoad(t)
	p := startProcess(t, dir, `exec "$@"`, "--port", "0")
	url := p.url
	port := url[strings.LastIndexByte(url, ':')+1:]
	l.start(8, func() string { return url })
	for range 3 {
		had := l.answers.Load()
		l.until(func() bool { return l.answers.Load() > had+200 })
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		p.Wait()
		failed := l.errors.Load()
		l.until(func() bool { return l.errors.Load() > failed })
		l.end.Store(true) // a client that asks before it is ready would be told so
		l.clients.Wait()
		p = startProcess(t, dir, `exec "$@"`, "--port", port)
		l.end.Store(false)
		l.start(8, func() string { return url })
	}
	had := l.answers.Load()
	l.until(func() bool { return l.answers.Load() > had+200 })
	l.end.Store(true)
	l.clients.Wait()
	t.Logf("%d answers, %d failed connections", l.answers.Load(), l.errors.Load())
}

// systemd hands over a socket that it has opened, and is told when the server is ready and when
// it ends.
func TestServeSystemd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	notify := strings.TrimSuffix(t.TempDir(), "/") + "/n"
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		t.Skip(err)
	}
	defer told.Close()
	// The file is the shell's standard input, because that is what command leaves alone.
	c := command(t, "", `exec 3<&0; LISTEN_PID=$$ LISTEN_FDS=1 NOTIFY_SOCKET=`+notify+` exec "$@"`, "serve", "--model", "tiny="+tiny(t), "--precision", "f32", "--drain-delay", "0")
	c.Stdin = file
	var log bytes.Buffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	read := func() string {
		b := make([]byte, 100)
		n, err := told.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	if got := read(); got != "READY=1" {
		t.Errorf("systemd is told %q", got)
	}
	// Whoever connected before that waited in the socket.
	ranks(t, http.DefaultClient, "http://"+l.Addr().String(), "", "a", "b")
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := read(); got != "STOPPING=1" {
		t.Errorf("systemd is told %q", got)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v; %s", err, &log)
	}
}
