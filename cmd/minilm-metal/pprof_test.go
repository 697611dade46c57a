package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// kernelProfile writes the profile of a run that nobody made, in which layer 1
// costs twice as much as layer 0.
func kernelProfile(t *testing.T) string {
	t.Helper()
	run := recording.Run{Batch: 8, Concurrency: 1, Elapsed: time.Second}
	for layer := range 2 {
		n := int64(layer + 1)
		run.Kernels = append(run.Kernels,
			recording.Kernel{Layer: layer, Block: "attention", Kernel: "gemm qkv", Shape: "384x1152", Calls: 1, Time: time.Duration(n) * 100 * time.Millisecond, FLOPs: 1000 * n},
			recording.Kernel{Layer: layer, Block: "attention", Kernel: "attention", Shape: "12x32", Calls: 1, Time: time.Duration(n) * 10 * time.Millisecond, FLOPs: 5000 * n})
	}
	rec := &recording.Recording{Name: "made up", Backend: "minilm-metal", Device: "cpu", Precision: "f32", Started: time.Unix(1e9, 0), Runs: []recording.Run{run}}
	path := filepath.Join(t.TempDir(), "kernels.pprof")
	if err := report.WriteProfileFile(path, rec); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPprofTop(t *testing.T) {
	path := kernelProfile(t)
	for _, test := range []struct {
		flags         string
		has, has2, no string
	}{
		{"", "300ms 90.91% 90.91%      300ms 90.91%  gemm qkv 384x1152", "30ms  9.09%   100%       30ms  9.09%  attention 12x32", "nothing"},
		{"--top", "Type: time", "330ms   100%  forward", "nothing"},
		{"--sample flops", "15000 83.33% 83.33%      15000 83.33%  attention 12x32", "Type: flops", "300ms"},
		{"--sample calls --top", "2 50.00%", "Type: calls", "300ms"},
		{"--focus layer.1", "200ms", "layer 1", "layer 0"},
		{"--tagfocus shape=12x32", "30ms", "attention 12x32", "gemm"},
	} {
		args := append([]string{"pprof", path}, strings.Fields(test.flags)...)
		text := ok(t, "", args...)
		if !strings.Contains(text, test.has) || !strings.Contains(text, test.has2) || strings.Contains(text, test.no) {
			t.Errorf("%s: want %q and %q, not %q:\n%s", test.flags, test.has, test.has2, test.no, text)
		}
	}
	call(t, "", "pprof", path, "--sample", "watts").want(t, failed, path, "watts", "flops")
	call(t, "", "pprof", path, "--focus", "(").want(t, failed, path, "focus")
	call(t, "", "pprof", path, "--tagfocus", "a=(").want(t, failed, path, "tagfocus")
}

// Go's own profiles are read as well.
func TestPprofOfGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heap.pprof")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := pprof.Lookup("goroutine").WriteTo(f, 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if text := ok(t, "", "pprof", path); !strings.Contains(text, "Type: goroutine") || !strings.Contains(text, "TestPprofOfGo") {
		t.Errorf("%s", text)
	}
}

// The pages of the browser's view, until the user interrupts it.
func TestPprofServes(t *testing.T) {
	t.Setenv("HOME", t.TempDir()) // where pprof looks for its settings
	path := kernelProfile(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	stderr, writer := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"pprof", path, "--http", "localhost:", "--no-browser"}, nil, io.Discard, writer, func(string) string { return "" })
		writer.Close()
	}()
	messages := bufio.NewScanner(stderr)
	if !messages.Scan() {
		t.Fatal("not a word of where it serves")
	}
	_, url, found := strings.Cut(messages.Text(), "http://")
	if !found {
		t.Fatalf("%q", messages.Text())
	}
	go io.Copy(io.Discard, stderr)
	for _, page := range []string{"/", "/flamegraph", "/top?si=flops", "/peek?f=gemm"} {
		status, body := fetch(t, "http://"+url+page)
		if status != http.StatusOK || !strings.Contains(body, "gemm qkv 384x1152") {
			t.Errorf("%s: %d\n%s", page, status, body)
		}
	}
	if status, _ := fetch(t, "http://"+url+"/debug/vars"); status != http.StatusNotFound {
		t.Errorf("a page that is not pprof's: %d", status)
	}
	if _, body := fetch(t, "http://"+url+"/download"); true {
		if p, err := profile.ParseData([]byte(body)); err != nil || len(p.Sample) != 4 {
			t.Errorf("the download: %v, %v", p, err)
		}
	}
	interrupt()
	if got := <-code; got != good {
		t.Errorf("exit code %d after an interrupt", got)
	}
}

// fetch gets a page from a server that has said its address.
func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(data)
}

func packed(t *testing.T, data string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPprofBadFiles(t *testing.T) {
	whole, err := os.ReadFile(kernelProfile(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, test := range []struct{ name, data, want string }{
		{"empty", "", "empty"},
		{"text", "What is a profile?\n", "not a profile"},
		{"json", `{"schema": 1}`, "not a profile"},
		{"trace", "go 1.26 trace\x00\x00\x00", "go tool trace"},
		{"short", string(whole[:len(whole)/2]), "cut short"},
		{"head", "\x1f\x8b", "not a profile"},
		{"gzip", packed(t, "nothing of the kind"), "not a profile"},
		{"nothing", packed(t, ""), "empty"},
	} {
		path := filepath.Join(dir, test.name)
		if err := os.WriteFile(path, []byte(test.data), 0o666); err != nil {
			t.Fatal(err)
		}
		call(t, "", "pprof", path).want(t, failed, path+": ", test.want)
	}
	call(t, "", "pprof", dir).want(t, failed, dir)
	call(t, "", "pprof", filepath.Join(dir, "gone")).want(t, failed, "gone")
	if _, err := readUnpacked(strings.NewReader(packed(t, strings.Repeat(" ", 1<<20))), 1<<16); err == nil || !strings.Contains(err.Error(), "more than 65536 bytes") {
		t.Errorf("a file that unpacks to much: %v", err)
	}
}

func TestPprofUsage(t *testing.T) {
	call(t, "", "pprof").want(t, usage, "FILE is missing")
	call(t, "", "pprof", "x", "--http", "8080").want(t, usage, "--http", "8080", "HOST:PORT")
	call(t, "", "pprof", "x", "--http", ":8080", "--top").want(t, usage, "--top and --http")
}

func TestBenchProfileErrors(t *testing.T) {
	dir := t.TempDir()
	call(t, "", "bench", "--model", tiny(t), "--profile", dir, "--out", filepath.Join(dir, "out")).want(t, usage, "--profile "+dir, "folder")
	gone := filepath.Join(dir, "gone", "kernels.pprof")
	call(t, "", "bench", "--model", tiny(t), "--profile", gone, "--out", filepath.Join(dir, "out")).want(t, failed, "gone")
	path := filepath.Join(dir, "kernels.pprof")
	call(t, "", "bench", "--model", tiny(t), "--device", "reference", "--profile", path, "--out", filepath.Join(dir, "out")).
		want(t, usage, `device "reference"`, "profile")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
