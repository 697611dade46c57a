package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

// embedding is a recording with everything in it, of a run that embedded texts.
func embedding(rec *recording.Recording) *recording.Recording {
	rec.Task = recording.TaskEmbed
	if a := rec.Accuracy; a != nil {
		a.Embeddings = &recording.Embeddings{MeanDistance: 1.5e-5, WorstDistance: 2e-5, AllowedDistance: 0.0028,
			Neighbours: &recording.Neighbours{Texts: 256, K: 10, Overlap: 0.9875, Reference: "f32"}}
	}
	return rec
}

// A report of embeddings speaks of texts wherever that of scores speaks of pairs, and leaves
// alone what others have named.
func TestWordsOfTexts(t *testing.T) {
	own := regexp.MustCompile(`(?i)\bpairs?\b|[a-z]*\bscores?\b|logits?|\bp/s\b`)
	for name, rec := range map[string]*recording.Recording{"runs": recordingtest.SeedLike(), "loads": recordingtest.Loads(), "mix": recordingtest.Mixed(), "flood": recordingtest.Flooded()} {
		rec = embedding(rec)
		rec.Dataset.Name, rec.Description, rec.Notes = "PA1R-set", "", nil
		rec.Environment.Args = nil
		r := Derive(rec)
		pages := map[string]string{"markdown": rendered(t, r), "page": regexp.MustCompile(`(?s)<style>.*?</style>| (?:id|href|class|for|download)="[^"]*"`).ReplaceAllString(textOf(htmlOf(t, r)), "")}
		for form, text := range pages {
			for line := range strings.Lines(text) {
				if found := own.FindString(line); found != "" {
					t.Errorf("%s, %s: %q in %.200q", name, form, found, line)
				}
			}
			if !strings.Contains(text, "texts") || !strings.Contains(text, "1.5e-05") || !strings.Contains(text, "98.75") && !strings.Contains(text, "98.8") {
				t.Errorf("%s, %s: says nothing of the embeddings", name, form)
			}
		}
	}
	rec := embedding(recordingtest.SeedLike())
	rec.Dataset.Name, rec.Notes, rec.Description = "pairs of scores", []string{"scores of pairs"}, "logits of pairs"
	text := rendered(t, Derive(rec))
	for _, want := range []string{"| Name | pairs of scores |", "- scores of pairs\n", "_logits of pairs_", "**Task:** `embed`", "texts/s"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	var b bytes.Buffer
	if err := Derive(rec).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"task": "embed"`, `"pairs_per_second"`, `"mean_distance"`, `"overlap"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("report.json has no %s", want)
		}
	}
}

// A sweep of an embedder has a table of its own, and a gate that was not passed no speed.
func TestVariantsOfEmbeddings(t *testing.T) {
	rec := embedding(recordingtest.SeedLike())
	good := rec.Accuracy
	bad := *good
	bad.Passed = false
	rec.Variants = []recording.Variant{{Precision: "f32", Accuracy: good}, {Precision: "int8", Accuracy: &bad}, {Precision: "bf16"}}
	text := rendered(t, Derive(rec))
	for _, want := range []string{"| f32 | 0.0 | 0.0 | n/a | 1.5e-05 | 2e-05 | 98.75 |", "| passed |", "| not passed, so not timed |", "| bf16 | 0.0 | 0.0 | n/a | n/a | n/a | n/a | n/a | not run |",
		"**Accuracy gate of `f32`:** passed: 1 - cosine", "**Accuracy gate of `int8`:** NOT passed: 1 - cosine", "**Accuracy gate of `bf16`:** n/a (not run)"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text[strings.Index(text, "## Precisions"):][:900])
		}
	}
	if strings.Contains(text, "**Accuracy gate:**") {
		t.Error("a line of the gate that says nothing of a precision")
	}
	rec.Variants, rec.Accuracy = nil, &bad
	if r := Derive(rec); r.Withheld == "" || !strings.Contains(r.verdict(), "1 - cosine") {
		t.Errorf("withheld %q, verdict %q", r.Withheld, r.verdict())
	}
	rec.Task = "dance"
	if err := rec.Validate(); err == nil || !strings.Contains(err.Error(), `"task": "dance"`) {
		t.Errorf("error %v", err)
	}
}
