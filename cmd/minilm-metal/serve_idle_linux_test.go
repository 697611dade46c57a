package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/minilm-metal/minilm-metal/model/memorytest"
)

// Ten thousand connections that do nothing take a bounded part of memory, keep nobody else from
// being answered, can all be used again, and leave nothing when they close.
func TestServeIdleConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("ten thousand connections take their time")
	}
	const want = 10_000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max < want+200 { // what Go has raised the limit to, here and in the other process
		t.Skipf("a process may open %d files here (ulimit -n), want %d", limit.Max, want+200)
	}
	p := startProcess(t, tiny(t), `exec "$@"`, "--port", "0", "--idle-timeout", "1h", "--read-header-timeout", "1h")
	before := p.resident(t)
	goroutines := p.goroutines(t)
	open := make([]net.Conn, want)
	for i := range open {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer c.Close()
		if open[i] = c; i%2 == 0 { // the others have sent nothing yet
			again(t, c)
		}
	}
	each := (p.resident(t) - before) / want
	t.Logf("%d bytes for each of %d connections", each, want)
	if each > 48<<10 && !memorytest.RaceDetector { // which has memory of its own
		t.Errorf("%d bytes for each connection", each)
	}
	ranks(t, http.DefaultClient, p.url, "", "a", "b")
	for i := 0; i < want; i += 101 {
		again(t, open[i])
	}
	for _, c := range open {
		c.Close()
	}
	for p.goroutines(t) > goroutines+5 { // for ever, if some are left
		http.DefaultClient.CloseIdleConnections()
	}
}

// again asks on a connection that is open whether the server is ready.
func again(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := fmt.Fprint(c, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || r.StatusCode != 200 {
		t.Fatal(r, err)
	}
}

// resident is how many bytes of memory the process has now.
func (p *process) resident(t *testing.T) (bytes int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rss, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscanf(rss, "%d kB", &bytes); err != nil {
		t.Fatal(err)
	}
	return bytes << 10
}

// goroutines is how many there are in the process.
func (p *process) goroutines(t *testing.T) int { return int(p.gauge(t, "go_goroutines")) }

// live is how many bytes were in use when the garbage collector had run last. The memory that a
// process has grows to twice as much, however little is in use (runtime, GOGC).
func (p *process) live(t *testing.T) int { return int(p.gauge(t, "go_memstats_next_gc_bytes") / 2) }

// gauge is a value of the process's metrics.
func (p *process) gauge(t *testing.T, name string) float64 {
	t.Helper()
	r, err := http.Get(p.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return all[name].Metric[0].Gauge.GetValue()
}
