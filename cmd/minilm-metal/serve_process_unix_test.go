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
	"time"
)

// ending is what serve says after its first signal.
const ending = "ending: not ready any more"

// process is serve as a process of its own, which is ready.
type process struct {
	*exec.Cmd
	started
}

// startProcess starts serve below a shell's script, with a tiny model, and waits until it is ready.
func startProcess(t *testing.T, dir, script string, args ...string) *process {
	t.Helper()
	p := &process{started: started{log: new(lockedBuffer), over: make(chan struct{})}}
	p.Cmd = command(t, "", script, append([]string{"serve", "--model", "tiny=" + dir, "--precision", "f32"}, args...)...)
	p.Stderr = p.log
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill(); p.ended() })
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() { p.Wait(); close(p.over) }() // not before: it closes out
	if err != nil {
		t.Fatalf("%v; %s", err, p.log)
	}
	p.url = strings.TrimSpace(line)
	p.ready(t, http.DefaultClient, p.url)
	return p
}

// ended waits for the process's end, and returns its exit code.
func (p *process) ended() int {
	<-p.over
	return p.ProcessState.ExitCode()
}

// SIGTERM under load: every question that the server has read is answered, to clients that keep
// connections open and do not look whether it is ready, and none twice. The process ends with
// code 0.
func TestServeTerminated(t *testing.T) {
	const drain = 500 * time.Millisecond
	p := startProcess(t, tiny(t), `exec "$@"`, "--port", "0", "--drain-delay", drain.String(), "--log-level", "debug")
	l := newLoad(t)
	l.start(8, func() string { return p.url })
	p.until(t, func() bool { return l.answers.Load() > 500 })
	told := time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.logs(t, ending)
	r, err := http.Get(p.url + "/health")
	switch {
	case err == nil:
		r.Body.Close()
		if r.StatusCode != 503 {
			t.Errorf("after SIGTERM: %s", r.Status)
		}
	case time.Since(told) < drain: // else this test was not let run until it was over
		t.Fatalf("after SIGTERM: %v", err)
	}
	if code := p.ended(); code != good {
		t.Errorf("code %d; %s", code, p.log)
	}
	l.end.Store(true)
	l.clients.Wait()
	const answer = "path=/rerank dialect=tei status=200"
	answered := int64(strings.Count(p.log.String(), answer))
	if got := l.answers.Load(); got != answered {
		t.Errorf("the server has answered %d questions, and clients have %d answers", answered, got)
	}
	_, log, _ := strings.Cut(p.log.String(), ending)
	after := strings.Count(log, answer)
	if after == 0 {
		t.Error("nothing was answered while it was ending")
	}
	if strings.Contains(p.log.String(), "status=4") || strings.Contains(p.log.String(), "path=/rerank dialect=tei status=5") {
		t.Errorf("questions were refused: %s", p.log)
	}
	t.Logf("%d answers, %d after SIGTERM; %d attempts to connect or ask after its end", answered, after, l.errors.Load())
}

// A second SIGTERM ends it at once, and requests that take longer than --shutdown-timeout are
// interrupted.
func TestServeTerminatedAtOnce(t *testing.T) {
	p := startProcess(t, tiny(t), `exec "$@"`, "--port", "0", "--drain-delay", "1m") // after which its code is 0
	for range 2 {
		p.Process.Signal(syscall.SIGTERM)
		p.logs(t, ending)
	}
	p.ended()
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
	for killed := range 4 {
		p := startProcess(t, dir, `exec "$@"`, "--port", "0") // the last one's may be another program's by now
		l.end.Store(false)
		l.start(8, func() string { return p.url })
		had := l.answers.Load()
		p.until(t, func() bool { return l.answers.Load() > had+200 })
		if killed < 3 {
			failed := l.errors.Load()
			if err := p.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			p.ended()
			for l.errors.Load() == failed { // each client asks again
				time.Sleep(time.Millisecond)
			}
		}
		l.end.Store(true) // a client that asks before the next is ready would be told so
		l.clients.Wait()
	}
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
	ended := make(chan error, 1)
	go func() {
		ended <- c.Wait()
		if c, err := net.Dial("unixgram", notify); err == nil {
			fmt.Fprint(c, "its end") // what it has not told by now it never will
			c.Close()
		}
	}()
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
		t.Fatalf("systemd is told %q", got)
	}
	// Whoever connected before that waited in the socket.
	ranks(t, http.DefaultClient, "http://"+l.Addr().String(), "", "a", "b")
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := read(); got != "STOPPING=1" {
		t.Fatalf("systemd is told %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("%v; %s", err, &log)
	}
}
