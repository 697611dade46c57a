package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// benchTiny measures the tiny checkpoint on the processor for a moment.
// It ends when the pairs do: the bound is there for nobody but who never ends, so that all
// configurations are measured, however slow the machine is.
func benchTiny(t *testing.T, dir string, more ...string) string {
	t.Helper()
	args := []string{"bench", "--model", tiny(t), "--pairs", "32", "--batch", "4,8", "--time-bound", "10m", "--device", "cpu", "--out", dir}
	return ok(t, "", append(args, more...)...)
}

func TestBench(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "report")
	profiles := t.TempDir()
	kernels := filepath.Join(profiles, "kernels.pprof")
	cpu, memory, trace := filepath.Join(profiles, "cpu.prof"), filepath.Join(profiles, "mem.prof"), filepath.Join(profiles, "trace.out")
	text := benchTiny(t, dir, "--name", "my run", "--description", "a try", "--cpuprofile", cpu, "--memprofile", memory, "--trace", trace, "--profile", kernels)
	for _, want := range []string{"# my run", "_a try_", "## Results Summary", "| 4 | 1 |", "| 8 | 1 |", "Accuracy", "synthetic", "Report: " + filepath.Join(dir, "report.md"), "Page: " + filepath.Join(dir, "report.html"), "Profile: " + kernels, "The kernels were timed"} {
		if !strings.Contains(text, want) {
			t.Errorf("stdout lacks %q:\n%s", want, text)
		}
	}
	for _, flags := range []string{"--sample time", "--sample flops", "--sample flops --focus gemm.down"} {
		text := ok(t, "", append([]string{"pprof", kernels}, strings.Fields(flags)...)...)
		if !strings.Contains(text, "% of ") || !strings.Contains(text, " layer 0\n") || !strings.Contains(text, " forward\n") {
			t.Errorf("%s:\n%s", flags, text)
		}
	}
	// What the driver has to say of a profile goes to standard error.
	call(t, "", "pprof", cpu, "--tagfocus", "phase=nosuch").want(t, good, "matched no samples")
	var report struct {
		Summary struct {
			PairsPerSecond float64 `json:"pairs_per_second"`
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err == nil {
		err = json.Unmarshal(data, &report)
	}
	if err != nil || report.Summary.PairsPerSecond <= 0 {
		t.Errorf("summary.pairs_per_second %v, %v", report.Summary.PairsPerSecond, err)
	}
	rec, err := recording.Read(filepath.Join(dir, "recording.json"))
	if err != nil {
		t.Fatal(err)
	}
	if args := strings.Join(rec.Environment.Args, " "); !strings.HasPrefix(args, "minilm-metal bench --model ") {
		t.Errorf("recorded command line: %s", args)
	}
	if !rec.Model.Synthetic {
		t.Error("a model that package synth made is taken for a trained one")
	}
	for _, name := range []string{filepath.Join(dir, "report.md"), filepath.Join(dir, "report.csv"), filepath.Join(dir, "report.html"), cpu, memory, trace} {
		if info, err := os.Stat(name); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// With --json standard output is report.json, byte for byte; where the files are is said on
// the other one.
func TestBenchJSON(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	r := call(t, "", "bench", "--model", tiny(t), "--device", "cpu", "--pairs", "8", "--batch", "4", "--time-bound", "10m", "--out", dir, "--json")
	r.want(t, good, filepath.Join(dir, "report.md"))
	written, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil || r.stdout != string(written) {
		t.Errorf("%v, stdout\n%s\nand the file\n%s", err, r.stdout, written)
	}
	if !strings.Contains(r.stdout, "\"name\": \"minilm-metal: ") {
		t.Errorf("the title says nothing of the model:\n%.200s", r.stdout)
	}
}

func TestBenchStages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	benchTiny(t, dir, "--stages")
	text, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "#### Stages of Inference\n"); n != 2 || !strings.Contains(string(text), "| feed-forward | gemm down |") {
		t.Errorf("%d sections:\n%s", n, text)
	}
	if text := ok(t, "", "compare", filepath.Join(dir, "report.md"), filepath.Join(dir, "report.json")); !strings.Contains(text, "batch=8") {
		t.Errorf("%s", text)
	}
	// The reference has no kernels to time.
	out := filepath.Join(t.TempDir(), "out")
	call(t, "", "bench", "--model", tiny(t), "--device", "reference", "--stages", "--out", out).want(t, usage, "cannot time its kernels")
	if _, err := os.Stat(out); err == nil {
		t.Error("an empty folder is left behind")
	}
}

// Precisions and lengths are swept, and compare reads what is written.
func TestBenchSweep(t *testing.T) {
	dir := t.TempDir()
	shown := ok(t, "", strings.Fields("bench --model "+tiny(t)+" --device cpu --isa generic --pairs 16 --batch 8 --precision f32,int8 --length 16,32 --time-bound 10m --force --out "+dir)...)
	for _, want := range []string{"| TP P95 | Precision | Length (tokens) |", "| f32 | 16 |", "| int8 | 32 |"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
	if text := ok(t, "", "compare", dir, filepath.Join(dir, "report.md")); !strings.Contains(text, "precision=int8, length=32") {
		t.Errorf("%s", text)
	}
}

// LoadGen's scenarios are configurations, and the report has their names.
func TestLoadGenScenarios(t *testing.T) {
	for flags, want := range map[string]string{
		"single-stream":    "**Scenario, in LoadGen's words:** SingleStream, judged by P90 of latency (ms): ",
		"offline":          "words:** Offline, judged by throughput (pairs/s): ",
		"server --rate 60": "words:** Server, judged by P99 of latency (ms): ",
	} {
		dir := t.TempDir()
		ok(t, "", strings.Fields("bench --model "+tiny(t)+" --device cpu --pairs 24 --time-bound 10m --force --out "+dir+" --scenario "+flags)...)
		if text, err := os.ReadFile(filepath.Join(dir, report.MarkdownFile)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%v: no %q in\n%s", err, want, text)
		}
	}
}

func TestBenchScenarios(t *testing.T) {
	for _, test := range []struct {
		flags string
		want  []string
	}{
		{"--mix --mix-bulk 2 --mix-bulk-pairs 500 --mix-background --mix-rate 20",
			[]string{"**Bulk:** calls of 500 pairs, callers: 2, in the background", "one pair each, 20.00 arriving", "| beside the bulk, the same arrivals |"}},
		{"--overload --overload-factor 2 --batch 2 --max-queue 16",
			[]string{"2 times the capacity", "pairs in a call: 2", "at most 16 pairs wait", "there are 8 callers", "| Failed otherwise | 0 |"}},
		{"--ramp --slo 5s --batch 2",
			[]string{"**Pairs in a request:** 2; requests arrive as a Poisson process", "5000 ms for 95 % of the requests", "**Knee:** ", "| ramp | "}},
	} {
		dir := filepath.Join(t.TempDir(), "report")
		args := append(strings.Fields("bench --model "+tiny(t)+" --device cpu --pairs 40 --time-bound 2s --out "+dir), strings.Fields(test.flags)...)
		shown := ok(t, "", args...)
		written, err := os.ReadFile(filepath.Join(dir, "report.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range append(test.want, "No configuration: see") {
			if !strings.Contains(shown, want) || !strings.Contains(string(written), want) {
				t.Errorf("%s: no %q on the terminal or in the report:\n%s", test.flags, want, shown)
			}
		}
		o := call(t, "", "compare", dir, filepath.Join(dir, "report.md"))
		o.want(t, incomparable, "nothing was compared")
		if !strings.Contains(o.stdout, "No configuration is in both") {
			t.Errorf("%s", o.stdout)
		}
	}
}

func TestBenchDefaultFolder(t *testing.T) {
	model := tiny(t)
	t.Chdir(t.TempDir())
	data := pairLine(t, "a", "b") + pairLine(t, "c", "d")
	if err := os.WriteFile("pairs.jsonl", []byte(data), 0o666); err != nil {
		t.Fatal(err)
	}
	// A report of somebody's in the folder where we are is in nobody's way.
	if err := os.WriteFile(report.MarkdownFile, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	ok(t, "", "bench", "--model", model, "--pairs", "4", "--batch", "2", "--dataset", "pairs.jsonl", "--name", "a/../b c")
	found, err := filepath.Glob(filepath.Join("bench-report", "*-a----b-c", "report.md"))
	if err != nil || len(found) != 1 {
		t.Errorf("%q, %v", found, err)
	}
}

// What fails leaves no empty folder behind, and says why before it measures.
func TestBenchFailures(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("bad.jsonl", []byte("{\"query\":\"a\"}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("file", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	model := tiny(t)
	call(t, "", "bench", "--model", model, "--dataset", "bad.jsonl", "--out", "out").want(t, failed, "bad.jsonl:1", "passage")
	call(t, "", "bench", "--model", model, "--dataset", "nosuch.jsonl", "--out", "out").want(t, failed, "nosuch.jsonl")
	call(t, "", "bench", "--model", model, "--out", "file").want(t, failed, "file")
	for _, flag := range []string{"profile", "cpuprofile", "memprofile", "trace"} {
		file := filepath.Join("gone", "x")
		call(t, "", "bench", "--model", model, "--out", "out", "--"+flag, file).want(t, failed, "--"+flag+" "+file+": ")
	}
	call(t, "", "bench", "--model", overflowing(t), "--out", "out").want(t, failed, "first score", "+Inf")
	if _, err := os.Stat("out"); err == nil {
		t.Error("an empty folder is left behind")
	}
}

// An interrupted run writes what it measured.
func TestBenchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := &program{stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }}
	data := filepath.Join(t.TempDir(), "pairs.jsonl")
	if err := os.WriteFile(data, []byte(pairLine(t, "a", "b")), 0o666); err != nil {
		t.Fatal(err)
	}
	o := bench.Options{Name: "x", Dataset: data, Batches: []int{2}, Pairs: 1 << 30, TimeBound: -1}
	found, err := p.find(tiny(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	o.Model.Files = found.files
	o.Progress = func(stage string, done, total int) {
		if done > 20 && !strings.Contains(stage, "warm-up") && strings.Contains(stage, "batch") {
			cancel()
		}
	}
	dir := t.TempDir()
	if err := p.measure(ctx, o, dir, "", false); !errors.Is(err, context.Canceled) || p.undone != "what was measured until then is in "+filepath.Join(dir, "report.md") {
		t.Errorf("error %v, %q", err, p.undone)
	}
	rec, err := recording.Read(filepath.Join(dir, "recording.json"))
	if err != nil || len(rec.Runs) != 1 || len(rec.Runs[0].Batches) == 0 {
		t.Errorf("%+v, %v", rec, err)
	}
}

// One that is interrupted before there is anything to write says that.
func TestBenchInterruptedEarly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stderr strings.Builder
	code := run(ctx, []string{"bench", "--model", tiny(t), "--device", "cpu", "--out", dir}, strings.NewReader(""), io.Discard, &stderr, func(string) string { return "" })
	if code != interrupted || stderr.String() != "minilm-metal: interrupted; nothing was measured yet, and nothing is written\n" {
		t.Errorf("code %d, stderr %q", code, stderr.String())
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("an empty folder is left behind")
	}
}

// What was measured once is not to be had again: a report is written over with --force alone.
func TestBenchWritesOverNothing(t *testing.T) {
	for _, name := range []string{recording.File, report.MarkdownFile, report.JSONFile, report.CSVFile, report.HTMLFile} {
		dir := t.TempDir()
		there := filepath.Join(dir, name)
		if err := os.WriteFile(there, []byte("precious"), 0o666); err != nil {
			t.Fatal(err)
		}
		args := []string{"bench", "--model", tiny(t), "--device", "cpu", "--pairs", "2", "--batch", "2", "--time-bound", "20s", "--out", dir}
		call(t, "", args...).want(t, failed, there+": is there already; --force writes over it")
		if data, err := os.ReadFile(there); string(data) != "precious" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		if name == recording.File {
			ok(t, "", append(args, "--force")...)
			if _, err := recording.Read(there); err != nil {
				t.Error(err)
			}
		}
	}
	// The default is a folder of its own, also for two runs in one second.
	t.Chdir(t.TempDir())
	for _, want := range []string{"a", "a-2", "a-3"} {
		got := freshFolder("a")
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if err := os.Mkdir(got, 0o777); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCompare(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	benchTiny(t, dir)
	if text := ok(t, "", "compare", dir, filepath.Join(dir, "report.md")); !strings.Contains(text, "batch=8") {
		t.Errorf("our own markdown:\n%s", text)
	}
	text := ok(t, "", "compare", dir, filepath.Join(dir, "report.json"))
	for _, want := range []string{"batch=4", "batch=8", "Throughput", "same"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q:\n%s", want, text)
		}
	}
	var c comparison
	out := ok(t, "", "compare", "--json", filepath.Join(dir, "report.json"), filepath.Join(dir, "recording.json"))
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Configs) != 2 || c.Configs[1].Batch != 8 || len(c.OnlyA) != 0 || strings.Contains(out, "null,\n  \"configs") {
		t.Fatalf("%s", out)
	}
	for _, m := range c.Configs[0].Metrics {
		if m.A == nil || m.B == nil || *m.A != *m.B || m.Verdict != "same" {
			t.Errorf("a report against itself: %+v", m)
		}
	}
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	call(t, "", "compare", dir, bad).want(t, failed, bad)
	call(t, "", "compare", dir, t.TempDir()).want(t, failed, "report.json")
}

// The report that this project set out to beat.
func TestCompareSeed(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set")
	}
	seed := filepath.Join(shared, "seed", "01_backend_pytorch.md")
	dir := filepath.Join(t.TempDir(), "report")
	ok(t, "", "bench", "--model", tiny(t), "--pairs", "64", "--out", dir)
	text := ok(t, "", "compare", seed, dir)
	for _, want := range []string{"01_backend_pytorch", "pytorch", "mps", "457.11", "batch=32"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q:\n%s", want, text)
		}
	}
}
