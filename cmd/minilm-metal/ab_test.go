package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/ab"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// asCommand makes the processes that a test's trial starts the command, in a home of their
// own.
func asCommand(t *testing.T) {
	t.Helper()
	t.Setenv(beCommand, "1")
	t.Setenv("HF_HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

// Two rounds of real runs are kept, read again, and are no verdict.
func TestAB(t *testing.T) {
	modeltest.OnlyValues(t)
	asCommand(t)
	dir := filepath.Join(t.TempDir(), "trial")
	args := []string{"bench", "ab", "--rounds", "2", "--out", dir, "--a", "--batch 4 --precision 'f32'", "--b", "--batch 4 --workers=1 --precision f32", "--", "--model", tiny(t), "--device", "cpu", "--pairs", "16"}
	o := call(t, "", args...)
	o.want(t, undecided, "inconclusive: no verdict: 2 rounds, want at least 6")
	for _, want := range []string{"| Program | this program | this program |", "--workers=1 --precision f32 --model", "| Throughput (pairs/s), batch=4, conc=1 |", "| First Score (ms)", "**Not gated:** Latency P95"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %q:\n%s", want, o.stdout)
		}
	}
	trial, err := ab.Read(filepath.Join(dir, ab.File))
	if err != nil {
		t.Fatal(err)
	}
	if len(trial.Rounds) != 2 || trial.CutShort != "" || trial.A.SHA256 != trial.B.SHA256 || !slices.Equal(trial.B.Flags, []string{"--batch", "4", "--workers=1", "--precision", "f32"}) {
		t.Errorf("%+v", trial)
	}
	for _, run := range trial.Rounds[0].Runs {
		if got := run.Report.Environment.Workers; run.Side == ab.B && got != 1 || run.Report.Configs[0].Pairs != 16 {
			t.Errorf("%s: %d workers, %d pairs", run.Side, got, run.Report.Configs[0].Pairs)
		}
		if _, err := os.Stat(filepath.Join(dir, "runs", "001-"+run.Side, "recording.json")); err != nil {
			t.Error(err)
		}
	}

	// Judged again it is the same, and without a gate nothing to fail for.
	for _, path := range []string{dir, filepath.Join(dir, ab.File)} {
		if text := ok(t, "", "compare", path); text != o.stdout {
			t.Errorf("again:\n%s\nand was\n%s", text, o.stdout)
		}
	}
	page := filepath.Join(t.TempDir(), "page.html")
	ok(t, "", "compare", "--html", page, dir)
	if made, text := content(t, filepath.Join(dir, abPage)), content(t, page); made != text || !strings.Contains(made, "round 2: ") {
		t.Errorf("the page is\n%s\nand again\n%s", made, text)
	}
	again := call(t, "", "compare", "--json", "--gate", "throughput=5%", dir)
	again.want(t, undecided, "no verdict")
	var j struct {
		Outcome string
		Rows    []struct {
			Measure   string
			Threshold float64
			Gated     bool
		}
	}
	if err := json.Unmarshal([]byte(again.stdout), &j); err != nil || j.Outcome != "inconclusive" || len(j.Rows) != 6 || !j.Rows[0].Gated || j.Rows[0].Threshold != 0.05 || j.Rows[5].Gated {
		t.Errorf("%v: %s", err, again.stdout)
	}
	call(t, "", args...).want(t, failed, ab.File+": is there already")
}

// Weights that are not the same are no comparison, and there is no speed: it ends after the
// first round.
func TestABOtherWeights(t *testing.T) {
	modeltest.OnlyValues(t)
	asCommand(t)
	dir, other := filepath.Join(t.TempDir(), "trial"), filepath.Join(t.TempDir(), "other")
	ok(t, "", "synth", "--seed", "2", "--layers", "1", "--hidden", "32", "--heads", "1", "--intermediate", "32", "--out", other)
	o := call(t, "", "bench", "ab", "--out", dir, "--a", "--model "+tiny(t), "--b", "--model '"+other+"'", "--", "--device", "cpu", "--precision", "f32", "--pairs", "8", "--batch", "4")
	o.want(t, incomparable, "not comparable: weights: A has ")
	if strings.Contains(o.stdout, "pairs/s") || !strings.Contains(o.stdout, "rounds: 1 of 10, cut short: the sides cannot be compared") {
		t.Errorf("%s", o.stdout)
	}
}

func TestABUsage(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		`--a "--out x": --out is not for the sides`:   {"--a", "--out x"},
		`--b "--json": --json is not`:                 {"--b", "--json"},
		`-oX is not`:                                  {"--b", "-oX"},
		`after --: --force is not`:                    {"--", "--force"},
		`after --: pairs: want flags of bench`:        {"--", "pairs", "3"},
		`--a "'x": a quote is not closed`:             {"--a", "'x"},
		`--a-binary and --a-commit: want one of them`: {"--a-binary", "x", "--a-commit", "y"},
		`--b-commit --upload-pack=x: is no commit`:    {"--b-commit=--upload-pack=x"},
		`--rounds 0: want 1 to`:                       {"--rounds", "0"},
		`--gate "speed": want one of throughput, p50`: {"--gate", "speed"},
		`--gate "p95=3": want a threshold such as 5%`: {"--gate", "p95=3"},
		`--gate p95: is there twice`:                  {"--gate", "p95", "--gate", "p95=4%"},
		`flags of both sides go after --`:             {"pairs"},
		`"pairs": flags of both sides go after --`:    {"pairs", "--", "--batch", "3"},
		`no side is given: A and B would be the same`: {"--", "--batch", "3"},
		`an A/A trial is asked for by --a "" --b ""`:  {"--rounds", "2"},
	} {
		o := call(t, "", append([]string{"bench", "ab", "--out", filepath.Join(dir, "out")}, args...)...)
		o.want(t, usage, want, `See "minilm-metal bench ab --help"`)
	}
	call(t, "", "bench", "ab", "--a-binary", filepath.Join(dir, "gone"), "--out", filepath.Join(dir, "out")).want(t, failed, "gone")
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("a folder is left behind")
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, "  a\tb\n c ": {"a", "b", "c"}, `--name "two words" 'x "y"' ""`: {"--name", "two words", `x "y"`, ""}, `a"b c"d`: {"ab cd"},
	} {
		if got, err := words(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{`"`, `a 'b`} {
		if got, err := words(text); err == nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// Several reports are a trend; sides are parted by --; and one run each is no verdict.
func TestCompareMany(t *testing.T) {
	modeltest.OnlyValues(t)
	dir := t.TempDir()
	benchTiny(t, dir, "--precision", "f32")
	file := filepath.Join(dir, report.JSONFile)
	text := ok(t, "", "compare", file, dir, filepath.Join(dir, "report.md"))
	if !strings.Contains(text, "# 3 reports") || !strings.Contains(text, "(+0.0 %)") || !strings.Contains(text, "One run each: no verdict") {
		t.Errorf("%s", text)
	}
	var trend struct {
		Reports []side
		Rows    []struct{ Values []float64 }
	}
	if err := json.Unmarshal([]byte(ok(t, "", "compare", "--json", file, file, file)), &trend); err != nil || len(trend.Reports) != 3 || len(trend.Rows) < 8 || len(trend.Rows[0].Values) != 3 {
		t.Errorf("%+v, %v", trend, err)
	}
	if text := ok(t, "", "compare", file, "--", file); !strings.Contains(text, "**Verdict:** inconclusive: one run each: no verdict") {
		t.Errorf("%s", text)
	}
	call(t, "", "compare", "--gate", "throughput", file, file).want(t, undecided, "one run each: no verdict")
	gates := []string{"compare", "--gate", "throughput", "--gate", "first-score=50%"}
	call(t, "", append(gates, file, file, file, file, "--", file, file, file, file)...).want(t, good)
	call(t, "", append(gates, file, file, file)...).want(t, usage, "want -- between them")
	call(t, "", "compare", "--", file).want(t, usage, "want reports of A before it")
	call(t, "", "compare", file, "--").want(t, usage, "want reports of A before it")
	call(t, "", "compare", file, "--", file, "--gate", "throughput").want(t, usage, "--gate: want flags before --")
	call(t, "", "compare").want(t, usage, "want two reports")
	call(t, "", "compare", file).want(t, usage, "one report")
	call(t, "", "compare", dir).want(t, usage, "one report")
}
