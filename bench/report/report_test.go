package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func rendered(t testing.TB, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What the seed report prints, from a recording of the seed's latencies: the
// definitions are the seed's, or these lines would not come out.
func TestSeedsFigures(t *testing.T) {
	got := rendered(t, Derive(recordingtest.SeedLike()))
	for _, want := range []string{
		"## Results Summary\n\n| Batch | Conc | Pairs | Time(s) | Lat Avg | Lat P95 | Lat P99 | TP Avg | TP P95 |\n" +
			"|-------|------|-------|---------|---------|---------|---------|--------|--------|\n" +
			"| 32 | 1 | 3200 | 7.00 | 70.0ms | 139.4ms | 168.7ms | 457.1 | 787.0 |\n",
		"### Config 1: batch=32, concurrency=1\n\n**Total:** 3200 pairs in 7.00s\n\n#### Latency (ms)\n| Metric | Value |\n|--------|-------|\n" +
			"| Average | 69.98 |\n| Min | 37.73 |\n| Max | 181.26 |\n| Std Dev | 30.28 |\n| P50 | 68.20 |\n| P90 | 104.40 |\n| P95 | 139.39 |\n| P99 | 168.71 |\n",
		"#### Throughput (pairs/s)\n| Metric | Value |\n|--------|-------|\n" +
			"| Average | 457.11 |\n| Min | 176.54 |\n| Max | 848.20 |\n| Std Dev | 176.93 |\n| P50 | 469.22 |\n| P90 | 779.38 |\n| P95 | 787.03 |\n| P99 | 818.84 |\n",
		"| < 68.2ms (P50) | 678.14 | 470.43 | 848.20 | 50 |\n| 68.2-78.6ms (P50-P75) | 436.87 | 407.29 | 468.00 | 25 |\n" +
			"| 78.6-104.4ms (P75-P90) | 363.51 | 306.91 | 406.38 | 15 |\n| >= 104.4ms (P90+) | 233.45 | 176.54 | 303.01 | 10 |\n" +
			"\n**Correlation:** -0.900 (negative correlation expected: lower latency = higher throughput)\n",
		"| Best Throughput | 457.11 p/s | batch=32, conc=1 |\n| Best Latency | 69.98ms | batch=32, conc=1 |\n" +
			"| Avg Throughput | 457.11 p/s | all configs |\n| Avg Latency | 69.98ms | all configs |\n",
		"| GPU Memory (MB) | 1269.0 | 1195.6 | 1303.6 | 1283.6 | 1303.6 |\n| GPU Utilization (%) | 72.8 | 62.4 | 83.1 | 73.8 | 81.1 |\n" +
			"| CPU Usage (%) | 1.8 | 1.0 | 7.9 | 1.4 | 3.9 |\n",
		"mean is 526.16 pairs/s",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the report lacks\n%s\nit is\n%s", want, got)
		}
	}
}

func TestGolden(t *testing.T) {
	for name, rec := range map[string]*recording.Recording{"seedlike": recordingtest.SeedLike(), "loads": recordingtest.Loads(), "failed": recordingtest.Failed(), "mixed": recordingtest.Mixed(), "flooded": recordingtest.Flooded(), "loaded": recordingtest.Loaded(), "judged": recordingtest.Judged(), "ablated": recordingtest.Ablated(6)} {
		r := Derive(rec)
		for ext, write := range map[string]func(*bytes.Buffer) error{
			".md":   func(b *bytes.Buffer) error { return r.WriteMarkdown(b) },
			".json": func(b *bytes.Buffer) error { return r.WriteJSON(b) },
			".csv":  func(b *bytes.Buffer) error { return r.WriteCSV(b) },
		} {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			golden(t, name+ext, got.Bytes())
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	recordingtest.Golden(t, name, got, *update)
}

// writeAll writes what a run of the bench leaves behind.
func writeAll(dir string, rec *recording.Recording) error {
	return errors.Join(recording.Write(dir, rec), Write(dir, Derive(rec)))
}

func TestWriteAllAndAgain(t *testing.T) {
	for _, rec := range []*recording.Recording{recordingtest.SeedLike(), recordingtest.Loads(), recordingtest.Failed(), recordingtest.Mixed(), recordingtest.Flooded(), recordingtest.Judged()} {
		first, second := filepath.Join(t.TempDir(), "made", "here"), t.TempDir()
		if err := writeAll(first, rec); err != nil {
			t.Fatal(err)
		}
		again, err := recording.Read(filepath.Join(first, recording.File))
		if err != nil {
			t.Fatal(err)
		}
		if err := writeAll(second, again); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{recording.File, MarkdownFile, JSONFile, CSVFile, HTMLFile} {
			a, err := os.ReadFile(filepath.Join(first, name))
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(second, name))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a, b) {
				t.Errorf("%s: %s rendered again from recording.json differs", rec.Name, name)
			}
		}
		files, err := os.ReadDir(first)
		if err != nil || len(files) != 5 {
			t.Errorf("%d files (%v), want 5: temporary ones are left", len(files), err)
		}
	}
}

// No accuracy, no speed figure: nothing in any report from which one follows.
func TestWithheld(t *testing.T) {
	absent := recordingtest.SeedLike()
	absent.Accuracy = nil
	for _, c := range []struct {
		rec  *recording.Recording
		want string
	}{{recordingtest.Failed(), "accuracy gate not passed"}, {absent, "accuracy gate not run"}} {
		r := Derive(c.rec)
		text := rendered(t, r)
		cell := "n/a (" + c.want + ")"
		row := "| 32 | 1 | 3200 |" + strings.Repeat(" "+cell+" |", 6) + "\n"
		for _, want := range []string{row, "**No speed figures:** " + c.want, "| Best Throughput | n/a | n/a |"} {
			if !strings.Contains(text, want) {
				t.Errorf("the report lacks %q:\n%s", want, text)
			}
		}
		var asJSON, asCSV bytes.Buffer
		if err := r.WriteJSON(&asJSON); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteCSV(&asCSV); err != nil {
			t.Fatal(err)
		}
		for _, figure := range []string{"457.1", "69.98", "526.1", "7.00", "68.2", "168.7"} {
			for name, text := range map[string]string{"markdown": text, "JSON": asJSON.String(), "CSV": asCSV.String()} {
				if strings.Contains(text, figure) {
					t.Errorf("%s tells %s", name, figure)
				}
			}
		}
		if r.Summary.PairsPerSecond != nil || r.Configs[0].Samples != nil {
			t.Error("a speed figure in the report")
		}
	}
}

// A recording from before the error was taken apart is read as it was; what it
// does not tell is n/a.
func TestAccuracyOfOldRecordings(t *testing.T) {
	rec := recordingtest.SeedLike()
	a := rec.Accuracy
	a.Offset, a.CentredError, a.FlippedOrders, a.CentredTolerance, a.OffsetTolerance = nil, nil, nil, 0, 0
	text, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"offset", "centred_error", "flipped_orders", "centred_tolerance", "offset_tolerance"} {
		if _, ok := fields["accuracy"].(map[string]any)[name]; !ok {
			t.Errorf("no field accuracy.%s", name)
		}
		delete(fields["accuracy"].(map[string]any), name)
	}
	if text, err = json.Marshal(fields); err != nil {
		t.Fatal(err)
	}
	old, err := recording.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	r := Derive(old)
	if !reflect.DeepEqual(r.Accuracy, a) || r.Withheld != "" {
		t.Errorf("read %+v, withheld %q", r.Accuracy, r.Withheld)
	}
	got := rendered(t, r)
	for _, want := range []string{
		"centred error n/a (n/a allowed), offset n/a (n/a allowed), mean error 0.0002 (0.06 allowed)",
		"| Offset of the logits | n/a |", "| Centred error allowed | n/a |", "| Pair orders flipped (%) | n/a |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the report lacks %q:\n%s", want, got)
		}
	}
}

// A machine without a GPU has no GPU figures: n/a, null, and no zero.
func TestNotMeasured(t *testing.T) {
	r := Derive(recordingtest.Loads())
	text := rendered(t, r)
	for _, want := range []string{
		"| GPU Memory (MB) | n/a | n/a | n/a | n/a | n/a |",
		"| Share of Measured Peak (%) | n/a |", "| GPU | n/a |",
		"| Padding Actual (%) | n/a |", // the fixture does not tell what was computed
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	var b bytes.Buffer
	if err := r.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	table, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(table) != 4 {
		t.Fatalf("%d lines, want a header and 3 configurations", len(table))
	}
	seen := false
	for i, column := range table[0] {
		if strings.HasPrefix(column, "dashboard_gpu_") {
			seen = true
			if table[1][i] != figure.NotMeasured {
				t.Errorf("%s = %s", column, table[1][i])
			}
		}
	}
	if !seen {
		t.Error("no GPU columns")
	}
}

func TestReportJSON(t *testing.T) {
	var b bytes.Buffer
	if err := Derive(recordingtest.SeedLike()).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schema  int
		Summary struct {
			PairsPerSecond float64 `json:"pairs_per_second"`
		}
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != recording.SchemaVersion || figure.Fixed(&got.Summary.PairsPerSecond, 2) != "457.11" {
		t.Errorf("got %+v", got)
	}
}

// Nothing measured at all is a report too.
func TestEmpty(t *testing.T) {
	none := recordingtest.Loads()
	none.Runs = nil
	idle := recordingtest.Loads()
	idle.Runs = []recording.Run{{Batch: 32, Concurrency: 1, Loop: "closed"}}
	single := recordingtest.Loads()
	single.Runs = single.Runs[:1]
	single.Runs[0].Batches = single.Runs[0].Batches[:1]
	for name, rec := range map[string]*recording.Recording{"no run": none, "no batch": idle, "one batch": single} {
		if err := writeAll(t.TempDir(), rec); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if text := rendered(t, Derive(rec)); strings.Contains(text, "NaN") || strings.Contains(text, "Inf |") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	if r := Derive(single); r.Configs[0].Latency.SD != nil || r.Configs[0].Correlation != nil {
		t.Error("one batch has neither deviation nor correlation")
	}
}

// Rows look back one second and carry nothing over.
func TestDashboardRows(t *testing.T) {
	ms := time.Millisecond
	run := recording.Run{
		Batches: []recording.BatchSample{ // out of order, as batches of several callers may be
			{Start: 400 * ms, Latency: 800 * ms, Pairs: 5, Tokens: 60, Padded: 100, Computed: 80, Tokenize: 3 * ms, Queue: 4 * ms, Infer: 5 * ms},
			{Start: 0, Latency: 400 * ms, Pairs: 7, Tokens: 50, Padded: 100, Tokenize: 1 * ms, Infer: 2 * ms},
		},
		Samples: []recording.Sample{{At: 0}, {At: 500 * ms}, {At: 1000 * ms}, {At: 1300 * ms}, {At: 1500 * ms}, {At: 3000 * ms}},
	}
	type figures struct{ throughput, latency, tokenize, infer, queue, waste, actual string }
	want := []figures{
		{"n/a", "n/a", "n/a", "n/a", "n/a", "n/a", "n/a"},
		{"14", "400", "1", "2", "0", "50", "n/a"}, // 7 pairs in half a second
		{"7", "400", "1", "2", "0", "50", "n/a"},
		{"12", "600", "3", "5", "4", "40", "25"}, // both batches; the last one's stages
		{"5", "800", "3", "5", "4", "40", "25"},
		{"0", "n/a", "n/a", "n/a", "n/a", "n/a", "n/a"},
	}
	for i, row := range dashboard(&run, true).Rows {
		got := figures{figure.Shortest(row.Throughput), figure.Shortest(row.Latency), figure.Shortest(row.Tokenize), figure.Shortest(row.Infer),
			figure.Shortest(row.Queue), figure.Shortest(row.PaddingWaste), figure.Shortest(row.PaddingActual)}
		if got != want[i] {
			t.Errorf("row %d at %vs: %+v, want %+v", i, row.At, got, want[i])
		}
	}
}
