package compare

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/chromium"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// views are a telephone's and a desktop's window, in both colours, and paper.
var views = map[string]chromium.View{
	"390 px, light":  {Width: 390, Height: 844},
	"390 px, dark":   {Width: 390, Height: 844, Dark: true},
	"1440 px, light": {Width: 1440, Height: 900},
	"1440 px, dark":  {Width: 1440, Height: 900, Dark: true},
	"paper":          {Width: 700, Height: 990, Print: true},
}

// A browser with the network off shows every page without a request, an error, sideways
// scrolling, a text that is hard to read or a link that leads nowhere.
func TestPagesInChromium(t *testing.T) {
	path := chromium.Find()
	switch {
	case testing.Short():
		t.Skip("a browser takes its time")
	case path == "":
		t.Skip("there is no Chromium here to look at pages with (Debian: chromium-headless-shell)")
	}
	dir := t.TempDir()
	for name, write := range pages(t) {
		f, err := os.Create(filepath.Join(dir, name+".html"))
		if err != nil {
			t.Fatal(err)
		}
		if err := write(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b, err := chromium.Start(t.Context(), path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer b.Close()
	files, err := filepath.Glob(filepath.Join(dir, "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		for view, v := range views {
			b.Seen = nil
			if err := b.Open("file://"+file, v); err != nil {
				t.Fatal(err)
			}
			wrong, least, _, err := b.Look()
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range append(wrong, b.Seen...) {
				t.Errorf("%s, %s: %s", filepath.Base(file), view, w)
			}
			if least < 4.5 || least > 21 {
				t.Errorf("%s, %s: contrast %.2f", filepath.Base(file), view, least)
			}
		}
	}
	// What must be seen is: a page that does all of it wrong.
	bad := filepath.Join(dir, "bad.html")
	if err := os.WriteFile(bad, []byte(`<!DOCTYPE html><meta name="color-scheme" content="light"><style>p{color:#999;width:2000px}</style>
<p id="x">pale</p><p id="x">x</p><a href="#gone">y</a><img src="http://127.0.0.1:9/z.png"><script>console.log("w")</script>`), 0o666); err != nil {
		t.Fatal(err)
	}
	b.Seen = nil
	if err := b.Open("file://"+bad, views["390 px, light"]); err != nil {
		t.Fatal(err)
	}
	wrong, _, _, err := b.Look()
	if err != nil || len(wrong) < 6 || len(b.Seen) < 2 {
		t.Errorf("%v: of a bad page it is said: %q, %q", err, wrong, b.Seen)
	}
}

// pages are those of reports of all kinds, and of comparisons.
func pages(t *testing.T) map[string]func(io.Writer) error {
	all := map[string]func(io.Writer) error{}
	for _, name := range []string{report.JSONFile, report.MarkdownFile, recording.File} {
		all[name] = parsed(t, before(t, name)).WriteHTML
	}
	for _, rec := range []*recording.Recording{recordingtest.SeedLike(), recordingtest.StagesOn(), recordingtest.Failed(), recordingtest.Mixed(), recordingtest.Flooded(), recordingtest.Loaded()} {
		all[rec.Name] = report.Derive(rec).WriteHTML
	}
	for name, write := range comparisons() {
		all[name] = write
	}
	return all
}

// comparisons are those of two reports, of a row of them, and of runs of two sides.
func comparisons() map[string]func(io.Writer) error {
	a, b, many := report.Derive(recordingtest.SeedLike()), report.Derive(faster(0.9)), report.Derive(recordingtest.Loads())
	loads := recordingtest.Loads()
	loads.Runs = loads.Runs[1:2]
	sides := []Side{{"Program", "this program", "commit 0123456789ab"}, {"Flags", "", "--precision bf16"}}
	of := func(j *Judgement) func(io.Writer) error {
		return func(w io.Writer) error { return j.WriteHTML(w, "A and B in turns", sides) }
	}
	return map[string]func(io.Writer) error{
		"two":          Reports(a, b).WriteHTML,
		"two-loads":    Reports(many, many).WriteHTML,
		"none":         Reports(a, report.Derive(loads)).WriteHTML,
		"trend":        TrendOf([]*report.Report{a, b, many, report.Derive(recordingtest.Failed()), a}).WriteHTML,
		"rounds":       of(Rounds(rounds([]float64{1.06, 1.07, 1.05, 1.1, 1.05, 1.08, 1.06, 1.01}), nil)),
		"few-rounds":   of(Rounds(rounds([]float64{1.06, 1.07}), nil)),
		"groups":       of(Groups([]*report.Report{a, b, a, b}, []*report.Report{b, b, a, a}, nil)),
		"incomparable": of(Groups([]*report.Report{a}, []*report.Report{report.Derive(recordingtest.Failed())}, nil)),
	}
}

// The pages of comparisons say first what they can say, lead from each figure to where it is
// drawn and back, and are the same when they are made again.
func TestComparisonPages(t *testing.T) {
	again := comparisons()
	for name, write := range comparisons() {
		var b, c bytes.Buffer
		if err := errors.Join(write(&b), again[name](&c)); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if text != c.String() {
			t.Errorf("%s: made again it differs", name)
		}
		want := map[string][]string{
			"two":          {"<strong>One run each: no verdict.</strong> At batch=32, conc=1 B&#39;s throughput was 1.11", `id="plot-ratios-1"`, "Throughput Average: 1.11"},
			"two-loads":    {`id="plot-ratios-3"`, "Throughput Average: 1.0000"},
			"none":         {`class="verdict bad"`, "<strong>Not comparable:</strong> no configuration is in both reports."},
			"trend":        {"<strong>5 reports, one run each: no verdict.</strong>", `id="plot-throughput"`, "batch=32, conc=1, report 2: "},
			"rounds":       {`class="verdict bad"`, "<strong>Regression:</strong>", `id="plot-rounds-1"`, "round 8: ", "A and B in turns", "<strong>Flags:</strong> A n/a, B --precision bf16"},
			"few-rounds":   {"no verdict: 2 rounds, want at least 6", "round 2: "},
			"groups":       {`id="plot-ratios"`},
			"incomparable": {`class="verdict bad"`, "<strong>Not comparable:</strong>", "accuracy gate not passed"},
		}[name]
		for _, w := range append(want, "fetches nothing and runs nothing") {
			if !strings.Contains(text, w) {
				t.Errorf("%s: the page lacks %q", name, w)
			}
		}
		if len(want) == 0 || strings.Contains(text, "<script") || strings.Contains(text, "NaN") || strings.Contains(text, "%!") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}
