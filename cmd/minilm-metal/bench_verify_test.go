package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// A report of bench is as its recording says, until somebody changes one digit.
func TestBenchVerify(t *testing.T) {
	modeltest.OnlyValues(t)
	dir := t.TempDir()
	benchTiny(t, dir, "--stages")
	text := ok(t, "", "bench", "verify", dir)
	for _, name := range []string{"report.md", "report.json", "report.csv"} {
		if !strings.Contains(text, filepath.Join(dir, name)+": as recording.json says\n") {
			t.Errorf("no %s:\n%s", name, text)
		}
		file := filepath.Join(dir, name)
		if alone := ok(t, "", "bench", "verify", file); strings.Count(alone, "\n") != 1 {
			t.Errorf("%s: %s", name, alone)
		}
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		at := regexp.MustCompile(`\.[0-9]`).FindAllIndex(whole, -1)[3][1] - 1
		changed := bytes.Clone(whole)
		changed[at] = '0' + (changed[at]-'0'+1)%10
		if err := os.WriteFile(file, changed, 0o666); err != nil {
			t.Fatal(err)
		}
		call(t, "", "bench", "verify", dir).want(t, failed, name+": ", "and the recording says ")
		if err := os.WriteFile(file, whole, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ok(t, "", "bench", "verify", filepath.Join(dir, "recording.json"))
	call(t, "", "bench", "verify").want(t, usage, "REPORT is missing")
	call(t, "", "bench", "verify", filepath.Join(dir, "gone")).want(t, failed, "gone")
	call(t, "", "bench", "verify", t.TempDir()).want(t, failed, "recording.json")
	// A run of another commit says so, where it differs; its report made again does not.
	recorded := content(t, filepath.Join(dir, "recording.json"))
	if err := os.WriteFile(filepath.Join(dir, "recording.json"), []byte(strings.Replace(recorded, `"commit": "`, `"commit": "0123456789abcdef`, 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	call(t, "", "bench", "verify", dir).want(t, failed, "and the recording says ", "made by another version, of commit 0123456789ab", ", and this one is of ")
	ok(t, "", "report", "--force", "--as", "html,md,json,csv", filepath.Join(dir, "recording.json"))
	ok(t, "", "bench", "verify", dir)
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	call(t, "", "bench", "verify", other).want(t, failed, "other: no file of a report")
}
