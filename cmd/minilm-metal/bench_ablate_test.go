package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where the speed came from, and the errors on judged pairs, are in one report of a run, as
// its recording says.
func TestBenchAblate(t *testing.T) {
	if testing.Short() {
		t.Skip("kernels of full size take seconds on an emulator")
	}
	exact := ok(t, `{"query": "a b", "documents": ["c d", "e"]}`+"\n", "score", "--model", tiny(t), "--device", "reference")
	logits := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(exact), `{"scores":`), "}")
	dir := t.TempDir()
	file := filepath.Join(dir, "judged.jsonl")
	line := fmt.Sprintf(`{"query": "a b", "documents": ["c d", "e"], "logits": %s, "judgements": [0, 2], "other_judgements": [1]}`, logits)
	if err := os.WriteFile(file, []byte(line+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	text := ok(t, "", "bench", "--model", tiny(t), "--device", "cpu", "--precision", "f32", "--pairs", "8", "--batch", "4", "--time-bound", "10m", "--out", out,
		"--ablate", "--ablate-rounds", "1", "--accuracy", file)
	report, err := os.ReadFile(filepath.Join(out, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## Where the Speed Came From", "## Accuracy on Judged Pairs", "| f32 | 2 | 1 | "} {
		if !strings.Contains(string(report), want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
	if !strings.Contains(text, "### One Idea Off at a Time") {
		t.Errorf("what is shown at the end lacks the ideas:\n%s", text)
	}
	ok(t, "", "bench", "verify", out)
	call(t, "", "bench", "--model", tiny(t), "--accuracy", file+".not", "--out", filepath.Join(dir, "none")).want(t, failed, "judged.jsonl.not")
}
