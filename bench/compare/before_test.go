package compare

import (
	"bytes"
	"os"
	"path/filepath"
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

// A recording of the version before gives the same reports as then, to the byte, and so does
// its report.json.
func TestRecordingOfTheVersionBefore(t *testing.T) {
	rec, err := recording.Decode([]byte(before(t, recording.File)))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*report.Report{
		"derived from the recording": report.Derive(rec),
		"parsed from recording.json": parsed(t, before(t, recording.File)),
		"parsed from report.json":    parsed(t, before(t, report.JSONFile)),
	} {
		var asJSON, asCSV bytes.Buffer
		if err := r.WriteJSON(&asJSON); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteCSV(&asCSV); err != nil {
			t.Fatal(err)
		}
		for file, got := range map[string]string{
			report.MarkdownFile: rendered(t, r), report.JSONFile: asJSON.String(), report.CSVFile: asCSV.String(),
		} {
			if want := before(t, file); got != want {
				t.Errorf("%s: %s is\n%s\nand was\n%s", name, file, got, want)
			}
		}
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
			if d.Beyond {
				t.Errorf("%v: %+v", p.Config, d)
			}
		}
	}
}
