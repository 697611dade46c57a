package compare

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// faster is seedLike with every latency times by.
func faster(by float64) *recording.Recording {
	rec := recordingtest.SeedLike()
	run := &rec.Runs[0]
	at := time.Duration(0)
	for i := range run.Batches {
		b := &run.Batches[i]
		b.Start, b.Latency = at, time.Duration(float64(b.Latency)*by)
		b.Infer = b.Latency - b.Tokenize
		at += b.Latency
	}
	run.Elapsed = at
	return rec
}

func difference1(t *testing.T, c Comparison, metric string) Difference {
	t.Helper()
	if len(c.Pairs) != 1 {
		t.Fatalf("%d configurations match, want 1", len(c.Pairs))
	}
	for _, d := range c.Pairs[0].Differences {
		if d.Metric == metric {
			return d
		}
	}
	t.Fatalf("no metric %q", metric)
	return Difference{}
}

func text(t *testing.T, c Comparison) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCompareFaster(t *testing.T) {
	c := Reports(report.Derive(recordingtest.SeedLike()), report.Derive(faster(0.5)))
	if len(c.Warnings) != 0 {
		t.Errorf("warnings %q", c.Warnings)
	}
	for metric, want := range map[string]float64{
		"Latency Mean (ms)":                  0.5,
		"Latency P90 (ms)":                   0.5,
		"Latency P99 (ms)":                   0.5,
		"Per-Batch Throughput P50 (pairs/s)": 2,
		"Throughput Average, all pairs over all time (pairs/s)": 2,
	} {
		d := difference1(t, c, metric)
		if math.Abs(*d.Ratio-want) > 0.001*want || d.Verdict != "better" {
			t.Errorf("%s: %+v, ratio %v", metric, d, *d.Ratio)
		}
		if back := difference1(t, Reports(c.B, c.A), metric); back.Verdict != "worse" {
			t.Errorf("%s the other way round: %+v", metric, back)
		}
	}
	if d := difference1(t, c, "Tokenization Mean (ms)"); d.Verdict != "same" {
		t.Errorf("tokenization: %+v", d)
	}
	for _, d := range Reports(c.A, c.A).Pairs[0].Differences {
		if d.A != nil && d.Verdict != "same" {
			t.Errorf("a report and itself: %+v", d)
		}
	}
	// However large it is, of one run each it is no verdict.
	if got := text(t, c); strings.Count(got, "**One run each: no verdict.**") != 1 || strings.Contains(got, "noise") {
		t.Error(got)
	}
}

// A machine that was disturbed before the run is told of.
func TestCompareBrokenProbe(t *testing.T) {
	a := report.Derive(recordingtest.SeedLike())
	for noise, told := range map[float64]bool{0.24: false, 0.251: true, 80: true} {
		b := faster(1.5)
		b.Environment.Noise = new(noise)
		got := text(t, Reports(a, report.Derive(b)))
		if strings.Contains(got, "**Differs:** noise: B's probe shows") != told {
			t.Errorf("noise %g:\n%s", noise, got)
		}
	}
}

func TestCompareConfigs(t *testing.T) {
	a, b := report.Derive(recordingtest.Loads()), report.Derive(recordingtest.Loads())
	b.Configs = append(b.Configs[1:], b.Configs[1]) // without the first, and one of them twice
	b.Configs[1].Rate = 99                          // another load
	c := Reports(a, b)
	if len(c.Pairs) != 1 || c.Pairs[0].Config != a.Configs[1].Config {
		t.Errorf("matched %+v", c.Pairs)
	}
	if len(c.OnlyA) != 2 || len(c.OnlyB) != 2 {
		t.Errorf("only in A %v, only in B %v", c.OnlyA, c.OnlyB)
	}
	for _, want := range []string{
		"**Only in A:** batch=32, conc=1; batch=1, conc=16, open loop at 12.5 pairs/s",
		"**Only in B:** batch=1, conc=16, open loop at 99 pairs/s; batch=8, conc=4",
	} {
		if got := text(t, c); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestCompareWarnings(t *testing.T) {
	a, b := recordingtest.SeedLike(), recordingtest.Failed()
	b.Model = recording.Model{ID: "other", Synthetic: true}
	b.Device, b.Precision, b.Dataset.SHA256, b.Environment.CPU = "cpu", "", "ffff", "Other CPU"
	b.Runs[0].Batches = b.Runs[0].Batches[1:]
	got := text(t, Reports(report.Derive(a), report.Derive(b)))
	for _, want := range []string{
		"B has no speed figures: accuracy gate not passed",
		"model: A has cross-encoder/ms-marco-MiniLM-L-6-v2, B has other",
		"weights: A has loaded ones, B has synthetic ones",
		"device: A has metal, B has cpu",
		"precision: A has f16, B does not tell",
		"data set: A has made up 00ff00ff00ff, B has made up ffff",
		"processor: A has Some CPU, B has Other CPU",
		"pairs: A scored 3200, B 3168",
	} {
		if !strings.Contains(got, "**Differs:** "+want+"\n") {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestCompareGolden(t *testing.T) {
	golden(t, "compare.md", []byte(text(t, Reports(report.Derive(recordingtest.SeedLike()), report.Derive(faster(0.9))))))
	golden(t, "compare-markdown.md", []byte(text(t, Reports(parsed(t, rendered(t, report.Derive(recordingtest.SeedLike()))), report.Derive(faster(0.5))))))
}

func TestCompareSeed(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set")
	}
	data, err := os.ReadFile(filepath.Join(shared, "seed", "01_backend_pytorch.md"))
	if err != nil {
		t.Fatal(err)
	}
	c := Reports(parsed(t, string(data)), report.Derive(faster(0.5)))
	d := difference1(t, c, "Throughput Average, all pairs over all time (pairs/s)")
	if *d.A != 457.11 || math.Abs(*d.Ratio-2) > 0.01 {
		t.Errorf("%+v", d)
	}
	for _, metric := range []string{"Dashboard Tokenization (ms)", "Dashboard Inference (ms)", "Dashboard Padding Waste (%)", "Latency P99 (ms)"} {
		if d := difference1(t, c, metric); d.A == nil || d.B == nil {
			t.Errorf("%s: %+v", metric, d)
		}
	}
	if got := text(t, c); !strings.Contains(got, "precision: A does not tell, B has f16") {
		t.Error(got)
	}
}
