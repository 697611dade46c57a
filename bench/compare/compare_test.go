package compare

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/bench/stats"
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
	for metric, want := range map[string]struct {
		ratio           float64
		verdict, method string
	}{
		"Latency Mean (ms)":                  {0.5, "better", "Welch t"},
		"Latency P50 (ms)":                   {0.5, "better", "Mann-Whitney"},
		"Latency P90 (ms)":                   {0.5, "better", "confidence intervals"},
		"Per-Batch Throughput P50 (pairs/s)": {2, "better", "Mann-Whitney"},
		"Throughput Average, all pairs over all time (pairs/s)": {2, "better", "Welch t"},
	} {
		d := difference1(t, c, metric)
		if math.Abs(*d.Ratio-want.ratio) > 0.001*want.ratio || d.Verdict != want.verdict || !d.Tested || !d.Beyond || d.Method != want.method {
			t.Errorf("%s: %+v, ratio %v", metric, d, *d.Ratio)
		}
		back := difference1(t, Reports(c.B, c.A), metric)
		if back.Verdict != "worse" || !back.Beyond || back.P != nil && math.Abs(*back.P-*d.P) > 1e-12 {
			t.Errorf("%s the other way round: %+v", metric, back)
		}
	}
	for _, metric := range []string{"Latency Min (ms)", "Latency Std Dev (ms)"} {
		if d := difference1(t, c, metric); d.Tested || d.Verdict != "better" {
			t.Errorf("%s: %+v; a single value has no test", metric, d)
		}
	}
	// The upper end of P99 is open on both sides.
	if d := difference1(t, c, "Latency P99 (ms)"); d.Tested {
		t.Errorf("P99 of 100: %+v", d)
	}
	// What was not changed is not found changed.
	if d := difference1(t, c, "Tokenization Mean (ms)"); d.Verdict != "same" || !d.Tested || d.Beyond {
		t.Errorf("tokenization: %+v", d)
	}
}

func TestCompareNoise(t *testing.T) {
	a := report.Derive(recordingtest.SeedLike())
	for _, d := range Reports(a, a).Pairs[0].Differences {
		if d.Beyond || d.A != nil && d.Verdict != "same" {
			t.Errorf("a report and itself: %+v", d)
		}
	}
	// 1 % of 70 ms, with a deviation of 30 and 100 batches, is nothing.
	d := difference1(t, Reports(a, report.Derive(faster(0.99))), "Latency Mean (ms)")
	if !d.Tested || d.Beyond || d.Verdict != "better" || *d.P < 0.5 {
		t.Errorf("1 %%: %+v", d)
	}
	// What the test calls real, the machine's own noise may explain.
	quiet, loud := faster(0.82), faster(0.82)
	loud.Environment.Noise = new(0.24)
	if d := difference1(t, Reports(a, report.Derive(quiet)), "Latency Mean (ms)"); !d.Beyond || d.Probe {
		t.Errorf("quiet machine: %+v", d)
	}
	d = difference1(t, Reports(a, report.Derive(loud)), "Latency Mean (ms)")
	if d.Beyond || !d.Probe {
		t.Errorf("loud machine: %+v", d)
	}
}

// A probe of several hundred per cent is of a moment, and hides no difference that a run
// shows; that is said.
func TestCompareBrokenProbe(t *testing.T) {
	a := report.Derive(recordingtest.SeedLike())
	for _, noise := range []float64{0.251, 2.12, 80} {
		for _, factor := range []float64{1.5, 1 / 1.5, 1.3, 1 / 1.3} {
			b := faster(factor)
			b.Environment.Noise = new(noise)
			for _, c := range []Comparison{Reports(a, report.Derive(b)), Reports(report.Derive(b), a)} {
				for _, metric := range []string{"Latency Mean (ms)", "Tokens/s"} {
					if d := difference1(t, c, metric); !d.Beyond || d.Probe {
						t.Errorf("%g times, probe %g: %+v", factor, noise, d)
					}
				}
				var text strings.Builder
				if err := c.WriteText(&text); err != nil || !strings.Contains(text.String(), "'s probe shows") || !strings.Contains(text.String(), "no more than 25 % is believed") {
					t.Errorf("%v\n%s", err, text.String())
				}
			}
		}
	}
}

// The wanted p is the density of Student's t with Welch's 14.36 degrees of
// freedom, integrated by numpy beyond t = 1.2921 on both sides.
func TestWelch(t *testing.T) {
	const welchP = 0.2167238077
	of := func(mean, sampleSD float64, n int) *report.Figures {
		sd := sampleSD * math.Sqrt(float64(n-1)/float64(n))
		return &report.Figures{Latency: &stats.Summary{N: n, Mean: mean, SD: &sd}}
	}
	test := welch(func(f *report.Figures) *stats.Summary { return f.Latency })
	e := test(of(1, 1.25, 20), of(2, 2.5, 12))
	if !e.tested || e.p == nil || math.Abs(*e.p-welchP) > 1e-9 {
		t.Errorf("%+v, p = %s, want %v", e, figure.Shortest(e.p), welchP)
	}
	for name, c := range map[string][2]*report.Figures{
		"one value":     {of(1, 0, 1), of(2, 1, 9)},
		"no summary":    {{}, of(2, 1, 9)},
		"two constants": {of(1, 0, 9), of(2, 0, 9)},
		"infinite":      {of(1, 1e-300, 9), of(1e300, 1e-300, 9)},
	} {
		if e := test(c[0], c[1]); e.tested {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if e := test(of(3, 0, 9), of(3, 0, 5)); !e.tested || e.beyond {
		t.Errorf("the same constant: %+v", e)
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
	// Markdown has no samples: only the means are tested.
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
	if *d.A != 457.11 || math.Abs(*d.Ratio-2) > 0.01 || !d.Beyond {
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
