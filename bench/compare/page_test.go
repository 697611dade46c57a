package compare

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/internal/chromium"
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
	for name, r := range pages(t) {
		f, err := os.Create(filepath.Join(dir, name+".html"))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.WriteHTML(f); err != nil {
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

// pages are reports of all kinds.
func pages(t *testing.T) map[string]*report.Report {
	all := map[string]*report.Report{"json": parsed(t, before(t, report.JSONFile)), "markdown": parsed(t, before(t, report.MarkdownFile)), "recording": parsed(t, before(t, recording.File))}
	for _, rec := range []*recording.Recording{recordingtest.SeedLike(), recordingtest.StagesOn(), recordingtest.Failed(), recordingtest.Mixed(), recordingtest.Flooded()} {
		all[rec.Name] = report.Derive(rec)
	}
	return all
}
