package report

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

func htmlOf(t testing.TB, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var carried = regexp.MustCompile(`href="data:application/json;base64,([^"]*)"`)

// text is a page without the recording that it carries.
func textOf(page string) string { return carried.ReplaceAllString(page, "") }

// largest is what a page may have, in bytes.
const largest = 1_000_000

// drawn says which plots a report has, and of which it says why not.
func drawn(r *Report) (list, missing []string) {
	for _, p := range r.plots() {
		if id := strings.TrimPrefix(p.ID, "plot-"); p.Missing == "" {
			list = append(list, id)
		} else {
			missing = append(missing, id)
		}
	}
	return list, missing
}

// Every recording has a page, which has the plots that it has the data of.
func TestPages(t *testing.T) {
	for _, c := range []struct {
		rec   *recording.Recording
		drawn string
	}{
		{recordingtest.SeedLike(), "tail time machine stages roofline lengths"},
		{recordingtest.Loads(), "tail time machine stages load lengths"},
		{recordingtest.StagesOn(), "tail time machine stages load roofline lengths"},
		{recordingtest.Failed(), "machine lengths"},
		{recordingtest.Mixed(), "tail stages rounds lengths"},
		{recordingtest.Flooded(), "tail lengths"},
		{recordingtest.Loaded(), "load goodput lengths"},
		{recordingtest.Ablated(6), "stages lengths"},
	} {
		r := Derive(c.rec)
		list, missing := drawn(r)
		if got := strings.Join(list, " "); got != c.drawn || len(list)+len(missing) != 9 {
			t.Errorf("%s: plots %s, want %s; without %v", c.rec.Name, got, c.drawn, missing)
		}
		page := htmlOf(t, r)
		if n := len(page); n > largest {
			t.Errorf("%s: %d bytes", c.rec.Name, n)
		}
		if again := htmlOf(t, Derive(c.rec)); again != page {
			t.Errorf("%s: made again it differs", c.rec.Name)
		}
		text := textOf(page)
		if n := strings.Count(text, `<svg class="drawing`); n != 2*len(list) {
			t.Errorf("%s: %d drawings of %d plots", c.rec.Name, n, len(list))
		}
		for _, want := range append([]string{`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`, `name="viewport"`}, missing...) {
			if !strings.Contains(text, want) && !strings.Contains(text, "Plots left out") {
				t.Errorf("%s: the page lacks %q", c.rec.Name, want)
			}
		}
		for _, never := range []string{"<script", "http://", "https://", "<img", "<link", "@import", "url(", "NaN", "Inf<", "%!"} {
			if strings.Contains(text, never) {
				t.Errorf("%s: the page has %q", c.rec.Name, never)
			}
		}
		// Verdict, configurations, plots, the rest.
		at := -1
		for _, part := range []string{`class="verdict`, `<section id="configurations">`, `<section id="plots">`, `<section id="overall-summary">`, `<section id="environment">`, `<section id="files">`} {
			next := strings.Index(text, part)
			if part == `<section id="configurations">` && len(r.Configs) == 0 {
				continue
			}
			if next <= at {
				t.Errorf("%s: %s is at %d, and what should be before it at %d", c.rec.Name, part, next, at)
			}
			at = next
		}
	}
}

// What is found is said, not only drawn.
func TestFindings(t *testing.T) {
	text := textOf(htmlOf(t, Derive(recordingtest.SeedLike())))
	for _, want := range []string{
		"<strong>457.1 pairs/s</strong> at batch=32, conc=1: half of the batches take up to 68.2 ms, 95 % up to 139.4 ms (in this run, with 95 % confidence, no more than 168.6 ms).",
		"The scores agree with the float64 reference: centred error 0.000156",
		"batch=32, conc=1: P50 68.2 ms, P95 139.4 ms (2.04 times P50), slowest 181.3 ms. The dotted part has no upper bound: 100 batches are too few.",
		"6 of 100 took more than twice the median, the slowest 181.3 ms at 1.8 s.",
		"batch=32, conc=1: inference is 99.7 % of 70.0 ms",
		"linear|gelu up 384x1536 takes most time, 28.00 ms a batch, at 2332.1 GFLOP/s, 89.7 % of the peak.",
		"3200 pairs of 276800 tokens, 86.5 each on average; most, 1800, have 64 to 127.",
		"batch=32, conc=1: P95 139.39 ms, at most 168.58 ms (95 % confidence)",
		`<a href="#row-1">`, `<tr id="row-1">`, `<a href="#plot-tail">Lat` + "\u00a0" + `P95 (ms)</a>`,
		"One run:",
	} {
		if !strings.Contains(strings.ReplaceAll(text, "&#43;", "+"), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	text = textOf(htmlOf(t, Derive(recordingtest.Failed())))
	for _, want := range []string{`class="verdict bad"`, "<strong>No speed figures: accuracy gate not passed.</strong>", "Centred error 0.111 of the logits&#39; deviation (0.03 allowed)", "no speed figures, because: accuracy gate not passed."} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// No accuracy, no speed figure, in no plot and in no table.
func TestPageWithheld(t *testing.T) {
	text := textOf(htmlOf(t, Derive(recordingtest.Failed())))
	for _, figure := range []string{"457.1", "69.98", "526.1", "7.00", "68.2", "168.7", "139.4"} {
		if strings.Contains(text, figure) {
			t.Errorf("the page tells %s", figure)
		}
	}
}

// The recording comes out of the page as it was, and makes the same page.
func TestPageCarriesItsRecording(t *testing.T) {
	rec := recordingtest.Mixed()
	page := htmlOf(t, Derive(rec))
	m := carried.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("no recording")
	}
	data, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(m[1], "&#43;", "+"))
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := file.WriteJSON(&want, rec); err != nil || !bytes.Equal(data, want.Bytes()) {
		t.Errorf("%v: %d bytes, want %d", err, len(data), want.Len())
	}
	again, err := recording.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if htmlOf(t, Derive(again)) != page {
		t.Error("the page of the recording differs")
	}
}

// However long a run, its page can be sent, and its slowest batch is on it.
func TestPageOfALongRun(t *testing.T) {
	rec := recordingtest.Loads()
	rec.Runs = nil
	for c := range 12 {
		run := recording.Run{Batch: 1 << (c % 6), Concurrency: 1 + c/6, Loop: "closed", Requested: 1 << 20}
		for i := range 20_000 {
			latency := time.Duration(1+c)*10*time.Millisecond + time.Duration(i*7919%10_007)*time.Microsecond
			if i == 12_345 {
				latency = 5 * time.Second
			}
			run.Batches = append(run.Batches, recording.BatchSample{Start: time.Duration(i) * 12 * time.Millisecond, Latency: latency, Infer: latency / 2,
				Pairs: run.Batch, Tokens: 80 * run.Batch, Padded: 90 * run.Batch})
		}
		run.Elapsed = 300 * time.Second
		for at := 500 * time.Millisecond; at <= run.Elapsed; at += 500 * time.Millisecond {
			run.Samples = append(run.Samples, recording.Sample{At: at, CPU: new(float64(50 + at.Milliseconds()%40)), RSS: new(301.0)})
		}
		rec.Runs = append(rec.Runs, run)
	}
	page := htmlOf(t, Derive(rec))
	t.Logf("%d bytes", len(page))
	if len(page) > largest {
		t.Errorf("%d bytes", len(page))
	}
	for _, want := range []string{"too much for a page to carry", "the batch that started at 148.14 s took 5000.0 ms", "the farthest 5000.0 ms at 148.1 s"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// Stages that are drawn sum up to the latency, whatever a report tells of them.
func TestSteps(t *testing.T) {
	r := Derive(recordingtest.SeedLike())
	for _, f := range r.falls() {
		if got, want := figure.Fixed(&f.total, 6), figure.Fixed(&r.Configs[0].Latency.Mean, 6); got != want {
			t.Errorf("stages of %s ms, latency %s", got, want)
		}
		if last := f.steps[len(f.steps)-1]; last.name != "unaccounted" {
			t.Errorf("last is %s", last.name)
		}
	}
}

func TestLoadAndGoodput(t *testing.T) {
	c := LoadCurve{Open: true, SLO: new(70.0), Knee: new(300.0)}
	for i := range 5 {
		offered := float64(100 * (i + 1))
		good := min(offered, 330) - float64(max(0, i-2)*60)
		c.Points = append(c.Points, LoadPoint{Name: "load", Offered: offered, Attained: min(offered, 350), Good: &good, P50: new(10 + float64(i)), P95: new(20 * float64(i+1)), P95Upper: new(21 * float64(i+1)), Says: "it holds"})
	}
	for _, part := range []struct {
		p    plot.Plot
		want []string
	}{
		{c.latencies(""), []string{"From 100.0 pairs/s (load) to 500.0 (load), P95 goes from 20.0 to 100.0 ms. The largest load that holds, with its P95 within 70 ms, is 300.0 pairs/s: the upright line.",
			"bound 70 ms", "offered pairs/s", "P95 60.00 ms at 300.0 pairs/s, at most 63.00 ms; it holds"}},
		{c.goodput(""), []string{"The most goodput is 300.0 pairs/s, at 300.0 offered. The largest load", "all that is offered", "good: attained within the bound 210.0 of 500.0 pairs/s; it holds"}},
	} {
		text := part.p.Finding + string(part.p.Drawings())
		for _, want := range part.want {
			if part.p.Missing != "" || !strings.Contains(text, want) {
				t.Errorf("%s: no %q (%s): %s", part.p.ID, want, part.p.Missing, part.p.Finding)
			}
		}
	}
	c.Knee = nil
	if p := c.goodput(""); !strings.HasSuffix(p.Finding, "was not confirmed.") {
		t.Errorf("%s", p.Finding)
	}
	for i := range c.Points[1:] { // all lost: no P95, and nothing is drawn of it
		c.Points[i].P95, c.Points[i].Good = nil, nil
	}
	if a, b := c.latencies(""), c.goodput("why"); a.Missing == "" || b.Missing != "why" {
		t.Error("one load has a plot")
	}
}

func TestRounds(t *testing.T) {
	r := Rounds{Metric: "throughput, B over A", Same: 0.03, All: &Ratio{Name: "median", Ratio: 1.05, Low: new(1.04), High: new(1.07)}}
	for i, v := range []float64{1.02, 1.05, 0.99, 1.06} {
		r.Rounds = append(r.Rounds, Ratio{Name: string(rune('1' + i)), Ratio: v})
	}
	p := r.Plot("row-1")
	if p.Finding != "1 of 4 rounds are below 1. Median 1.050 (95 % interval 1.040 to 1.070). Within the shaded band, up to a factor of 1.030, the sides are the same." {
		t.Errorf("%s", p.Finding)
	}
	if text := string(p.Drawings()); !strings.Contains(text, "round 3: 0.9900") || !strings.Contains(text, "no difference") || strings.Count(text, `class="band"`) != 2 {
		t.Errorf("%s", text)
	}
	ratios := PlotRatios("plot-ratios", "Ratios", "?", []Ratio{*r.All, {Name: "P95 & more", Ratio: 0.8, Same: 0.1}})
	if !strings.HasPrefix(ratios.Finding, "Farthest from 1 is P95 & more: 0.800. Each is called the same where") || !strings.Contains(string(ratios.Drawings()), "the same up to 1.100") || !strings.Contains(string(ratios.Drawings()), "P95 &amp; more: 0.8000") {
		t.Errorf("%s", ratios.Finding)
	}
	if (&Rounds{}).Plot("").Missing == "" || PlotRatios("", "", "", nil).Missing == "" {
		t.Error("nothing has a plot")
	}
}
