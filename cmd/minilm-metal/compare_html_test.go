package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/ab"
	"github.com/minilm-metal/minilm-metal/bench/compare"
)

// Two reports, a row of them, runs of two sides and a trial have pages of their own, beside
// what is shown.
func TestComparePages(t *testing.T) {
	dir := before(t)
	md := filepath.Join(dir, "report.md")
	page := filepath.Join(t.TempDir(), "page.html")
	for _, c := range []struct {
		args        []string
		shown, want string
	}{
		{[]string{dir, md}, "B/A", "<strong>One run each: no verdict.</strong>"},
		{[]string{dir, md, dir}, "# 3 reports", "<strong>3 reports, one run each: no verdict.</strong>"},
		{[]string{"--json", dir, dir, dir}, `"reports"`, "3 reports"},
		{[]string{dir, dir, dir, dir, "--", dir, dir, dir, md}, "# Runs of A and B", `id="plot-ratios"`},
	} {
		shown := ok(t, "", append([]string{"compare", "--html", page}, c.args...)...)
		if text := content(t, page); !strings.Contains(shown, c.shown) || !strings.Contains(text, c.want) {
			t.Errorf("%v: shown\n%s\npage\n%s", c.args, shown, text)
		}
	}
	was := content(t, md)
	call(t, "", "compare", "--html", md, dir, md).want(t, usage, "is one of the reports")
	call(t, "", "compare", "--html", filepath.Join(dir, "gone", "page.html"), dir, md).want(t, failed, "gone")
	if content(t, md) != was {
		t.Error("a report was written over")
	}
}

// A trial's page is that of the judgement, and is made again of ab.json alone.
func TestTrialPages(t *testing.T) {
	r, err := readReport(before(t))
	if err != nil {
		t.Fatal(err)
	}
	trial := ab.New(ab.Side{}, ab.Side{Flags: []string{"--precision", "bf16"}}, 7, 1)
	for range 7 {
		trial.Rounds = append(trial.Rounds, ab.Round{Runs: []ab.Run{{Side: ab.A, Report: r}, {Side: ab.B, Report: r}}})
	}
	dir := t.TempDir()
	if err := trial.Write(dir); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(dir, "page.html")
	ok(t, "", "compare", "--html", page, dir)
	text := content(t, page)
	for _, want := range []string{"<strong>" + strings.ToUpper(string(compare.Passed[:1])) + string(compare.Passed[1:]) + ":</strong>", `id="plot-rounds-1"`, "round 7: 1.0000", "<strong>Flags:</strong> A n/a, B --precision bf16"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
}
