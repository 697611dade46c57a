package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

func parsed(t *testing.T, text string) *report.Report {
	t.Helper()
	r, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// report.json and recording.json read back to the same report.
func TestParseJSON(t *testing.T) {
	for _, rec := range []*recording.Recording{recordingtest.SeedLike(), recordingtest.Loads(), recordingtest.Failed(), recordingtest.Mixed(), recordingtest.Flooded()} {
		want := report.Derive(rec)
		for name, write := range map[string]func(io.Writer) error{
			"report.json":    want.WriteJSON,
			"recording.json": func(w io.Writer) error { return file.WriteJSON(w, rec) },
		} {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			got := parsed(t, b.String())
			if !got.Started.Equal(want.Started) {
				t.Errorf("%s %s: started %v, want %v", rec.Name, name, got.Started, want.Started)
			}
			got.Started = want.Started // equal, but for the name of the zone
			if got, want := asJSON(t, got), asJSON(t, want); got != want {
				t.Errorf("%s %s: got\n%s\nwant\n%s", rec.Name, name, got, want)
			}
		}
	}
}

// asJSON is all of a report but the recording that its page carries.
func asJSON(t *testing.T, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// digits is how many digits behind the point the markdown has of a metric.
func digits(m report.Metric) int {
	switch {
	case strings.HasPrefix(m.Column, "dashboard_"), strings.HasPrefix(m.Column, "padding_"), m.Column == "tokens_per_second":
		return 1
	case strings.HasPrefix(m.Column, "tokenize_"), strings.HasPrefix(m.Column, "queue_"), strings.HasPrefix(m.Column, "inference_"):
		return 3
	case m.Column == "flops_per_second":
		return 2 - 9
	case m.Column == "share_of_peak":
		return 1 + 2
	}
	return 2
}

// The instruction set is told where it is known, and comes back.
func TestParseInstructionSet(t *testing.T) {
	rec := recordingtest.SeedLike()
	if text := rendered(t, report.Derive(rec)); strings.Contains(text, "Instruction set") {
		t.Error("told though not known")
	}
	rec.Environment.InstructionSet = "avx2"
	if got := parsed(t, rendered(t, report.Derive(rec))).Environment.InstructionSet; got != "avx2" {
		t.Errorf("%q, want avx2", got)
	}
}

// Every metric comes back from the markdown as precise as it was printed.
func TestParseMarkdown(t *testing.T) {
	for _, rec := range []*recording.Recording{recordingtest.SeedLike(), recordingtest.Loads(), recordingtest.Failed()} {
		want := report.Derive(rec)
		got := parsed(t, rendered(t, want))
		if got.Name != want.Name || got.Description != want.Description || got.Model.ID != want.Model.ID ||
			got.Backend != want.Backend || got.Device != want.Device || got.Precision != want.Precision ||
			got.Model.Synthetic != want.Model.Synthetic || got.Withheld != want.Withheld ||
			got.Started.Format(report.TimestampLayout) != want.Started.Format(report.TimestampLayout) {
			t.Errorf("%s: the head is %+v", rec.Name, got)
		}
		if got.Dataset.SHA256 != want.Dataset.SHA256 || got.Environment.CPU != want.Environment.CPU ||
			figure.Fixed(got.Environment.Noise, 3) != figure.Fixed(want.Environment.Noise, 3) || got.Environment.Commit != want.Environment.Commit || !got.Environment.Dirty {
			t.Errorf("%s: data set %+v, environment %+v", rec.Name, got.Dataset, got.Environment)
		}
		if len(got.Configs) != len(want.Configs) {
			t.Fatalf("%s: %d configurations, want %d", rec.Name, len(got.Configs), len(want.Configs))
		}
		if figure.Fixed(got.Summary.PairsPerSecond, 2) != figure.Fixed(want.Summary.PairsPerSecond, 2) || !reflect.DeepEqual(got.Summary.Fastest, want.Summary.Fastest) {
			t.Errorf("%s: summary %+v, want %+v", rec.Name, got.Summary, want.Summary)
		}
		if figure.Fixed(got.LoadCorrelation, 3) != figure.Fixed(want.LoadCorrelation, 3) {
			t.Errorf("%s: correlation across loads %v", rec.Name, figure.Fixed(got.LoadCorrelation, 3))
		}
		for i := range want.Configs {
			f, g := &want.Configs[i], &got.Configs[i]
			if g.Config != f.Config || g.Pairs != f.Pairs || len(g.Dashboard.Rows) != len(f.Dashboard.Rows) {
				t.Errorf("%s: configuration %+v, %d pairs, %d rows; want %+v, %d, %d", rec.Name, g.Config, g.Pairs, len(g.Dashboard.Rows), f.Config, f.Pairs, len(f.Dashboard.Rows))
			}
			if f.Latency != nil && g.Latency.N != f.Latency.N {
				t.Errorf("%s: %d batches, want %d", rec.Name, g.Latency.N, f.Latency.N)
			}
			for _, m := range report.Metrics() {
				a, b := m.Value(f), m.Value(g)
				if (a == nil) != (b == nil) {
					t.Errorf("%s: %s: %s, want %s", rec.Name, m.Column, figure.Shortest(b), figure.Shortest(a))
				} else if a != nil && math.Abs(*a-*b) > 0.5000001*math.Pow(10, -float64(digits(m))) {
					t.Errorf("%s: %s: %v, want %v to %d digits", rec.Name, m.Column, *b, *a, digits(m))
				}
			}
		}
	}
}

// The seed report itself, and that printing what was read gives it back.
func TestParseSeed(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set")
	}
	data, err := os.ReadFile(filepath.Join(shared, "seed", "01_backend_pytorch.md"))
	if err != nil {
		t.Fatal(err)
	}
	r := parsed(t, string(data))
	f := r.Configs[0]
	if r.Backend != "pytorch" || r.Device != "mps" || f.Latency.N != 100 || f.Latency.P99 != 168.71 || *f.Latency.SD != 30.28 ||
		f.Throughput.Average != 457.11 || figure.Fixed(&f.Throughput.PerBatch.Mean, 2) != "526.16" || *f.Correlation != -0.9 ||
		len(f.Dashboard.Rows) != 14 || *f.Dashboard.Rows[9].Tokenize != 130.1 || *r.Summary.LatencyMS != 69.98 {
		t.Errorf("read %+v\n%+v", r, f)
	}
	// Every line of it, in its order, among the lines of ours; and all of ours
	// that are not notes are its own.
	ours := strings.Split(rendered(t, r), "\n")
	rest := ours
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		at := -1
		for j, have := range rest {
			if have == line {
				at = j
				break
			}
		}
		if at < 0 {
			t.Fatalf("line %d of the seed is not printed: %s", i+1, line)
		}
		for _, extra := range rest[:at] {
			if extra != "" && extra[0] != '_' {
				t.Errorf("printed, and not in the seed: %s", extra)
			}
		}
		rest = rest[at+1:]
	}
	// The spread of its rows is its own summary of them.
	for i, m := range report.DashboardMetrics(f.Dashboard.Rows) {
		if i < 7 && (m.Spread == nil || math.Abs(m.Spread.Mean-f.Dashboard.Metrics[i].Spread.Mean) > 0.1 || math.Abs(m.Spread.P95-f.Dashboard.Metrics[i].Spread.P95) > 0.1) {
			t.Errorf("%s: %+v from its rows, %+v told", m.Name, m.Spread, f.Dashboard.Metrics[i].Spread)
		}
	}
	// What we render of latencies like its own has the same lines, until the
	// stages, which are ours.
	wanted := string(data)
	wanted = wanted[strings.Index(wanted, "## Results Summary"):strings.Index(wanted, "| Tokenization (ms)")]
	have := rendered(t, report.Derive(recordingtest.SeedLike()))
	for line := range strings.SplitSeq(wanted, "\n") {
		if !strings.Contains(have, line+"\n") {
			t.Errorf("not rendered: %s", line)
		}
	}
}

func TestParseErrors(t *testing.T) {
	good := rendered(t, report.Derive(recordingtest.SeedLike()))
	lineOf := func(text, part string) int { return 1 + strings.Count(text[:strings.Index(text, part)], "\n") }
	for _, c := range []struct{ from, to, want string }{
		{"# 01", "x\n# 01", `title: want "# NAME" first`},
		{"| P95 | 139.39 |", "| P95 | fast |", `Latency (ms) P95: "fast" is not a number`},
		{"| P95 | 139.39 |", "| P95 | NaN |", `Latency (ms) P95: "NaN" is not a number`},
		{"| P95 | 139.39 |", "| P95 | 0x1p-2 |", `Latency (ms) P95: "0x1p-2" is not a number`},
		{"| P95 | 139.39 |", "| P95 | 1e9 |", `Latency (ms) P95: "1e9" is not a number`},
		{"| P95 | 139.39 |", "| P95 | 139.39 | x |", `table: 3 cells, the table has 2 columns`},
		{"| P95 | 139.39 |\n", "", `Latency (ms): no row "P95"`},
		{"| P95 | 139.39 |", "| P95 | n/a |", `some figures are n/a and others are not`},
		{"| 32 | 1 | 3200 | 7.00", "| 0 | 1 | 3200 | 7.00", `Batch: "0" is not a whole number from 1 up`},
		{"| 32 | 1 | 3200 | 7.00", "| 32 | 1 | 99999999999999999999 | 7.00", `Pairs: "99999999999999999999" is not a whole number`},
		{"| 32 | 1 | 3200 | 7.00", "| 32 | 1 | 3200 | soon", `Time(s): "soon" is not a number`},
		{"| Batch | Conc |", "| Batch | Koncurrency |", `Results Summary: no column "Conc"`},
		{"### Config 1: batch=32", "### Config 1: batch=64", `row 1 of the results summary has batch 32`},
		{"### Config 1", "### Config 2", `the results summary has 1 configurations`},
		{"< 68.2ms (P50)", "under 68.2ms", `Latency Range: "under 68.2ms" is none of the four`},
		{"**Timestamp:** 2025-12-26", "**Timestamp:** 26.12.2025", `Timestamp: "26.12.2025 02:16:55" is not like`},
		{"**Correlation:** -0.900", "**Correlation:** strong", `Correlation: "strong" is not a number`},
		{"| 3 | 1263.6 | 77.2 |", "| 3 | 1263.6 | hot |", `GPU Util (%): "hot" is not a number`},
		{"| Tokens/s | ", "| Tokens/s | -", ""}, // a number all the same
		{"|-------|------|", "no rule", `table: no rule |---| below the titles`},
	} {
		if !strings.Contains(good, c.from) {
			t.Fatalf("the report has no %q", c.from)
		}
		text := strings.Replace(good, c.from, c.to, 1)
		_, err := Parse(strings.NewReader(text))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%q: %v", c.to, err)
		case c.want == "":
		case err == nil || !strings.Contains(err.Error(), c.want):
			t.Errorf("%q for %q: error %v\nwant %s", c.to, c.from, err, c.want)
		case strings.HasPrefix(c.to, "| P95 | ") && !strings.Contains(c.want, "n/a"):
			if at := "line " + strconv.Itoa(lineOf(good, c.from)) + ": "; !strings.Contains(err.Error(), at) {
				t.Errorf("%q: error %v\nwant it at %s", c.to, err, at)
			}
		}
	}
	for text, want := range map[string]string{
		"":                         `line 1: title: want "# NAME" first`,
		"\n\n":                     `line 1: title: want "# NAME" first`,
		"# x\n":                    `Results Summary: no configuration`,
		"{":                        `line 1: unexpected end of JSON input`,
		"{}":                       `neither field "configs"`,
		"{\"configs\":[]}":         `field "schema": 0, this program knows 1`,
		"{\"runs\":[]}":            `field "schema": 0, this program knows 1`,
		"{\"schema\":1,\"runs\":1": `line 1: unexpected end`,
		"{\"schema\":1,\n\"configs\":[\n{\"batch\":\"x\"}]}":                 `line 3: field "configs.batch": string is no int`,
		"{\"schema\":1,\"configs\":[{\"batch\":0,\"concurrency\":1}]}":       `configs[0]: batch 0, concurrency 1, want at least 1 and 1`,
		"{\"schema\":1,\"runs\":[{\"batch\":1}]}":                            `runs[0] (batch 1, concurrency 0): want at least 1 and 1`,
		"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n": `a git-lfs pointer`,
	} {
		if _, err := Parse(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v\nwant %s", text, err, want)
		}
	}
}

// A report from before there were these rows is read as it was.
func TestStagesOfOldReports(t *testing.T) {
	var old []string
	for line := range strings.Lines(rendered(t, report.Derive(recordingtest.SeedLike()))) {
		if !strings.HasPrefix(line, "| "+report.OverlappedRow) && !strings.HasPrefix(line, "| "+report.UnaccountedRow) {
			old = append(old, line)
		}
	}
	f := parsed(t, strings.Join(old, "")).Configs[0]
	if f.Overlapped != nil || f.Unaccounted != nil || f.Tokenize == nil || f.Queue == nil || f.Infer == nil {
		t.Errorf("read %+v", f)
	}
	f = parsed(t, rendered(t, report.Derive(recordingtest.SeedLike()))).Configs[0]
	if f.Overlapped == nil || f.Overlapped.N != 100 || f.Unaccounted == nil || f.Overlapped.Max >= f.Tokenize.Max {
		t.Errorf("read %+v", f)
	}
}

// Line ends of Windows and a byte order mark are no reason to refuse a report.
func TestParseWindows(t *testing.T) {
	text := rendered(t, report.Derive(recordingtest.SeedLike()))
	want := parsed(t, text)
	if got := parsed(t, "\uFEFF"+strings.ReplaceAll(text, "\n", "\r\n")); !reflect.DeepEqual(got, want) {
		t.Error("CRLF changes what is read")
	}
}

// brief is a recording that has a little of everything, as short as it can be: a fuzzer
// tries each byte of what it is given, and each pair of bytes of what it finds.
func brief() *recording.Recording {
	rec := recordingtest.SeedLike()
	run := &rec.Runs[0]
	run.Batches, run.Samples, run.Stages.Kernels = run.Batches[:3], run.Samples[:1], run.Stages.Kernels[:2]
	run.Elapsed = run.Batches[2].Start + run.Batches[2].Latency
	rec.Dataset.Histogram, rec.Environment.CPUFeatures = rec.Dataset.Histogram[:1], nil
	return rec
}

// What Parse takes can be printed and compared, whatever it says. The input is a report that
// is known, or none, with a piece of it replaced: so what is mutated is a few bytes, though
// the report has thousands. what says which report, and what is done with it.
func FuzzParse(f *testing.F) {
	rec := brief()
	ours := report.Derive(rec)
	known := []string{"", "# a\n## Results Summary\n|Batch|Conc|Pairs|Time(s)|\n|-|-|-|-|\n|1|1|1|n/a|\n", rendered(f, ours)}
	for _, form := range []any{ours, rec} {
		text, err := json.Marshal(form)
		if err != nil {
			f.Fatal(err)
		}
		known = append(known, string(text))
	}
	uses := []func(r *report.Report) error{
		func(r *report.Report) error { return Reports(r, ours).WriteText(io.Discard) },
		func(r *report.Report) error { return Reports(ours, r).WriteText(io.Discard) },
		func(r *report.Report) error { return errors.Join(r.WriteMarkdown(io.Discard), r.WriteCSV(io.Discard)) },
	}
	for i := range len(known) * len(uses) {
		f.Add(uint8(i), uint16(0), uint16(0), []byte(nil))
		f.Add(uint8(i), uint16(len(known[i%len(known)])/2), uint16(1), []byte("1e9"))
	}
	f.Add(uint8(0), uint16(0), uint16(0), []byte(`{"schema":1,"configs":[{"batch":1,"concurrency":1,"rate":1e300,"latency_ms":{"n":2,"mean":1e308,"sd":1e308}}]}`))
	f.Fuzz(func(t *testing.T, what uint8, at, cut uint16, text []byte) {
		if len(text) > 200 { // what is longer go test shortens for minutes
			return
		}
		whole := known[int(what)%len(known)]
		from := min(int(at), len(whole))
		to := min(from+int(cut), len(whole))
		r, err := Parse(strings.NewReader(whole[:from] + string(text) + whole[to:]))
		if err != nil {
			return
		}
		if err := uses[int(what)/len(known)%len(uses)](r); err != nil {
			t.Error(err)
		}
	})
}

// A report of embeddings in markdown reads back to the figures of its JSON, in whose names pairs
// are texts; and it isn't compared with one of scores.
func TestParseTexts(t *testing.T) {
	for _, rec := range []*recording.Recording{recordingtest.SeedLike(), recordingtest.Loads()} {
		rec.Task = recording.TaskEmbed
		want := report.Derive(rec)
		text := rendered(t, want)
		if !strings.Contains(text, "texts/s") {
			t.Fatalf("%.300s", text)
		}
		got := parsed(t, text)
		if got.Task != recording.TaskEmbed || len(got.Configs) != len(want.Configs) || got.Dataset.Pairs != want.Dataset.Pairs || (got.Summary.PairsPerSecond == nil) != (want.Summary.PairsPerSecond == nil) {
			t.Errorf("%+v", got)
		}
		for i := range want.Configs {
			a, b := &got.Configs[i], &want.Configs[i]
			if a.Config != b.Config || a.Pairs != b.Pairs || (a.Throughput == nil) != (b.Throughput == nil) {
				t.Errorf("configuration %d: %+v", i, a)
			}
		}
		rec.Task = ""
		scores := report.Derive(rec)
		if warned := Reports(got, scores).Warnings; !strings.Contains(strings.Join(warned, "\n"), "work: A has embeddings of texts, B has scores of pairs") {
			t.Errorf("%q", warned)
		}
		const apart = "a report is of embeddings of texts, another of scores of pairs"
		sides, trend := Reports(got, scores), TrendOf([]*report.Report{got, want, scores})
		if text := textOf(t, sides); !strings.HasPrefix(sides.Apart, apart) || len(sides.Pairs)+len(sides.OnlyA)+len(sides.OnlyB) > 0 || strings.Contains(text, "B/A") || !strings.Contains(text, "**Not comparable:** "+apart) {
			t.Errorf("%+v\n%s", sides, text)
		}
		var page strings.Builder
		if err := trend.WriteHTML(&page); err != nil || !strings.HasPrefix(trend.Apart, apart) || len(trend.Rows) > 0 || !strings.Contains(page.String(), apart) {
			t.Errorf("%+v, %v", trend, err)
		}
		if text := Reports(got, want); !strings.Contains(textOf(t, text), "(texts/s)") || strings.Contains(textOf(t, text), "pairs/s") {
			t.Errorf("%s", textOf(t, text))
		}
	}
}

func textOf(t *testing.T, c Comparison) string {
	t.Helper()
	var b, page strings.Builder
	if err := errors.Join(c.WriteText(&b), c.WriteHTML(&page)); err != nil {
		t.Fatal(err)
	}
	return b.String() + page.String()
}
