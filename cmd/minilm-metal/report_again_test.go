package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// before is a folder that "bench" of an earlier version wrote, without a page.
func before(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "before")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "bench", "compare", "testdata", "before"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestReport(t *testing.T) {
	dir := before(t)
	page := filepath.Join(dir, "report.html")
	if text := ok(t, "", "report", dir); text != page+"\n" {
		t.Errorf("%q", text)
	}
	made := content(t, page)
	for _, want := range []string{"<!DOCTYPE html>", "51.3 pairs/s", `id="plot-time"`, `download="recording.json"`} {
		if !strings.Contains(made, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// What is there stays, unless it is said.
	call(t, "", "report", dir).want(t, failed, page+": is there already; --force writes over it")
	ok(t, "", "report", "--force", filepath.Join(dir, "recording.json"))
	if content(t, page) != made {
		t.Error("made again of its recording, the page differs")
	}
	// Every form, elsewhere; that of the same version is what it was.
	out := filepath.Join(t.TempDir(), "new", "folder")
	if text := ok(t, "", "report", "--as", "html,md,json,csv", "--out", out, dir); strings.Count(text, "\n") != 4 {
		t.Errorf("%q", text)
	}
	if content(t, filepath.Join(out, "report.csv")) != content(t, filepath.Join(dir, "report.csv")) || content(t, filepath.Join(out, "report.html")) != made {
		t.Error("the CSV or the page is another")
	}
	// A report without its recording has a page as well, and markdown has one beside it.
	out = t.TempDir()
	ok(t, "", "report", "--out", out, filepath.Join(dir, "report.json"))
	if text := content(t, filepath.Join(out, "report.html")); !strings.Contains(text, "Plots left out") || strings.Contains(text, "download=") {
		t.Error("a report.json has the page of its recording")
	}
	text := filepath.Join(t.TempDir(), "01_mine.md")
	if err := os.Rename(filepath.Join(dir, "report.md"), text); err != nil {
		t.Fatal(err)
	}
	ok(t, "", "report", text)
	if made := content(t, strings.TrimSuffix(text, ".md")+".html"); !strings.Contains(made, "95 % up to 180.6 ms") {
		t.Error("the page of markdown lacks its figures")
	}
}

func TestReportOfSeveral(t *testing.T) {
	a, b := before(t), filepath.Join(t.TempDir(), "after")
	if err := os.CopyFS(b, os.DirFS(a)); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	ok(t, "", "report", "--out", out, a, b)
	files, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || !slices.Equal(files, []string{filepath.Join(out, "after.html"), filepath.Join(out, "before.html")}) {
		t.Errorf("%v, %v", files, err)
	}
	call(t, "", "report", "--out", t.TempDir(), a, a).want(t, failed, "would be made twice")
}

func TestReportFailures(t *testing.T) {
	dir := before(t)
	call(t, "", "report").want(t, usage, "FILE is missing")
	call(t, "", "report", "--as", "pdf", dir).want(t, usage, "--as pdf: want html, md, json or csv")
	call(t, "", "report", "--as", "", dir).want(t, usage, "--as")
	call(t, "", "report", filepath.Join(dir, "gone")).want(t, failed, "gone")
	call(t, "", "report", t.TempDir()).want(t, failed, "has none of recording.json, report.json, report.md")
	call(t, "", "report", filepath.Join(dir, "report.csv")).want(t, failed, "report.csv")
	// What is read is never written over.
	text := filepath.Join(dir, "report.md")
	was := content(t, text)
	call(t, "", "report", "--force", "--as", "md", text).want(t, failed, "is what it would be made of")
	if content(t, text) != was {
		t.Error("it was written over")
	}
}

func TestOpener(t *testing.T) {
	none := func(string) string { return "" }
	display := func(name string) string { return map[string]string{"WAYLAND_DISPLAY": "wayland-0"}[name] }
	for _, c := range []struct {
		system string
		getenv func(string) string
		want   string
	}{
		{"darwin", none, "open"},
		{"windows", none, "rundll32 url.dll,FileProtocolHandler"},
		{"linux", none, ""},
		{"linux", display, "xdg-open"},
	} {
		got, ok := opener(c.system, c.getenv)
		if strings.Join(got, " ") != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v", c.system, got, ok)
		}
	}
}
