package compare

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// before is what "bench --stages" of an earlier version wrote, when measuring, reports and
// comparison were one package.
func before(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "before", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\r\n", "\n")
}

// What reports have learnt to tell since then: sections, and lines.
var (
	newSections = []string{"#### Stages by Layer"}
	newLines    = []string{"_TP P95 of row 2 is that of one batch, among up to 2 under way at once; TP Avg is of all._",
		"_Time is in seconds, Lat is the latency of a batch in ms, and TP is throughput in pairs/s: here, and in every table below whose titles do not say it._"}
)

// withoutNew leaves out of a report what was not told then.
func withoutNew(text string) string {
	for _, line := range newLines {
		text = strings.Replace(text, "\n"+line+"\n", "", 1)
	}
	var kept []string
	skip := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			skip = slices.Contains(newSections, strings.TrimSpace(line))
		}
		if !skip {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// A recording of the version before gives the same markdown as then, but for what is new,
// and so does its report.json; both to the byte.
func TestRecordingOfTheVersionBefore(t *testing.T) {
	rec, err := recording.Decode([]byte(before(t, recording.File)))
	if err != nil {
		t.Fatal(err)
	}
	want := before(t, report.MarkdownFile)
	for name, r := range map[string]*report.Report{
		"derived from the recording": report.Derive(rec),
		"parsed from recording.json": parsed(t, before(t, recording.File)),
	} {
		if got := withoutNew(rendered(t, r)); got != want {
			t.Errorf("%s, it is\n%s\nand was\n%s", name, got, want)
		}
		var asCSV bytes.Buffer
		if err := r.WriteCSV(&asCSV); err != nil || asCSV.String() != before(t, report.CSVFile) {
			t.Errorf("%s, %v, the CSV is\n%s", name, err, &asCSV)
		}
	}
	if got := withoutNew(rendered(t, parsed(t, before(t, report.JSONFile)))); got != want {
		t.Errorf("of report.json it is\n%s\nand was\n%s", got, want)
	}
}

// Its markdown is read, and is no different from its report.json.
func TestMarkdownOfTheVersionBefore(t *testing.T) {
	text, full := parsed(t, before(t, report.MarkdownFile)), parsed(t, before(t, report.JSONFile))
	if text.Started.Format(time.DateTime) != full.Started.Format(time.DateTime) || len(text.Configs) != 2 {
		t.Errorf("read %+v", text)
	}
	c := Reports(text, full)
	for _, w := range c.Warnings {
		if !strings.HasPrefix(w, "noise: ") { // of the machine, on both sides
			t.Errorf("warning %q", w)
		}
	}
	if len(c.Pairs) != 2 || len(c.OnlyA)+len(c.OnlyB) != 0 {
		t.Errorf("%d pairs, only in one: %v, %v", len(c.Pairs), c.OnlyA, c.OnlyB)
	}
	for _, p := range c.Pairs {
		for _, d := range p.Differences {
			if d.A != nil && d.B != nil && math.Abs(*d.A-*d.B) > 0.051*max(1, math.Abs(*d.B)/10) { // markdown has one digit, or more
				t.Errorf("%v: %s: %v and %v", p.Config, d.Metric, *d.A, *d.B)
			}
		}
	}
}
