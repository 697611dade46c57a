package main

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// briefly are the arguments of a run that measures one small kernel for a
// moment.
var briefly = []string{"kernels", "--shape", "2x5x7", "--focus", "linear/", "--isa", "generic", "--format", "f32", "--count", "2", "--time", "1us"}

func TestKernels(t *testing.T) {
	modeltest.OnlyValues(t)
	text := ok(t, "", briefly...)
	for _, want := range []string{
		"commit ", "peak GFLOP/s  L1 GB/s",
		"\nlinear: 5 → 7, bias\n", "\n2     generic/f32  ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "n/a") {
		t.Errorf("something is not known:\n%s", text)
	}
}

func TestKernelsJSON(t *testing.T) {
	modeltest.OnlyValues(t)
	var document struct {
		Schema      int
		Environment struct {
			CPU    string
			Go     string
			Commit string
			Args   []string
		}
		Results []struct {
			Name    string
			Rows    int
			Samples []float64 `json:"samples_ns"`
			Share   *float64  `json:"peak_share"`
		}
	}
	if err := json.Unmarshal([]byte(ok(t, "", append(briefly, "--json")...)), &document); err != nil {
		t.Fatal(err)
	}
	e := document.Environment
	if document.Schema != 1 || e.CPU == "" || e.Commit == "" || !strings.HasPrefix(e.Go, "go1.") || len(e.Args) < 2 || e.Args[1] != "kernels" {
		t.Errorf("%+v", document)
	}
	if len(document.Results) != 1 || document.Results[0].Rows != 2 || len(document.Results[0].Samples) != 2 || document.Results[0].Share == nil {
		t.Errorf("%+v", document.Results)
	}
}

// Lines that benchstat reads: keys that two runs of one machine share, units,
// and a line for each repeat.
func TestKernelsBenchstat(t *testing.T) {
	text := ok(t, "", append(briefly, "--benchstat")...)
	key := regexp.MustCompile(`^(goos|goarch|pkg|cpu): \S`)
	unit := regexp.MustCompile(`^Unit \S+ better=higher$`)
	line := regexp.MustCompile(`^BenchmarkKernel/name=linear/isa=generic/format=f32/in=5/out=7/rows=2-1\t\d+\t[0-9.]+ ns/op\t[0-9.]+ GFLOP/s\t[0-9.]+ GB/s\t[0-9.]+ %peak\t[0-9.]+ %roofline$`)
	repeats := 0
	for _, l := range lines(text) {
		switch {
		case line.MatchString(l):
			repeats++
		case l != "" && !strings.HasPrefix(l, "# ") && !key.MatchString(l) && !unit.MatchString(l):
			t.Errorf("line %q", l)
		}
	}
	if repeats != 2 {
		t.Errorf("%d repeats:\n%s", repeats, text)
	}
}

func TestKernelsList(t *testing.T) {
	text := ok(t, "", "kernels", "--list")
	for _, v := range kernels.Variants() {
		if name := "Kernel/name=qkv/isa=" + v.ISA.String() + "/format=" + v.Format.String() + "/rows=128\n"; !strings.Contains(text, name) {
			t.Errorf("no %s", name)
		}
	}
	got := ok(t, "", "kernels", "--list", "--focus", "addnorm.*rows=32$", "--isa", "generic")
	if want := "Kernel/name=addnorm/isa=generic/format=f32/rows=32\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	got = ok(t, "", "kernels", "--list", "--shape", "1x2x3", "--shape", "4x5x6", "--isa", "generic", "--format", "int8,f32", "--focus", "linear-gelu")
	for _, name := range []string{"/format=f32/in=2/out=3/rows=1\n", "/format=int8/in=5/out=6/rows=4\n"} {
		if !strings.Contains(got, "Kernel/name=linear-gelu/isa=generic"+name) || len(lines(got)) != 4 {
			t.Errorf("no %q:\n%s", name, got)
		}
	}
}

func TestKernelsUsage(t *testing.T) {
	for args, want := range map[string]string{
		"--shape 3x4":                      `"3x4" for "--shape" flag: want rows x inputs x outputs`,
		"--shape 3x4x5x6":                  `"3x4x5x6" for "--shape" flag: want rows x inputs x outputs`,
		"--shape 3x-4x5":                   `"3x-4x5" for "--shape" flag: want rows x inputs x outputs, each at least 1`,
		"--shape 3x4xy":                    `"3x4xy" for "--shape" flag`,
		"--shape 1x1x67108865":             "a matrix would have over 67108864 values",
		"--shape 67108865x1x1":             "a matrix would have over 67108864 values",
		"--shape 1x9999999x9999999":        "a matrix would have over 67108864 values",
		"--shape 1x1x99999999999999999999": "--shape",
		"--isa sse":                        `--isa "sse": this processor or build has `,
		"--format f8":                      `--format "f8": this processor or build has `,
		"--focus (":                        `--focus "("`,
		"--focus nosuch":                   `--focus "nosuch": no kernel's name matches`,
		"--count 0":                        "--count 0: want at least 1",
		"--time 0s":                        "--time 0s: want more than 0",
		"--time -1s":                       "--time -1s: want more than 0",
		"--json --list":                    "want one of them",
		"--json --benchstat":               "want one of them",
		"extra":                            "kernels takes no arguments",
	} {
		o := call(t, "", append([]string{"kernels"}, strings.Fields(args)...)...)
		o.want(t, usage, want, `--help".`)
		if o.stdout != "" {
			t.Errorf("%s: stdout: %s", args, o.stdout)
		}
	}
}

// An interrupted run says so, and prints what it has: here nothing yet.
func TestKernelsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, briefly, strings.NewReader(""), &stdout, &stderr, func(string) string { return "" })
	if code != interrupted || stderr.String() != "minilm-metal: interrupted; nothing was measured yet\n" || stdout.Len() > 0 {
		t.Errorf("code %d, stderr %q, stdout %q", code, stderr.String(), stdout.String())
	}
}
