package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/engine"
)

func TestReadJudged(t *testing.T) {
	list, err := readJudged(strings.NewReader(`
{"query": "a", "documents": ["x", {"text": "y"}], "logits": [1.5, -2], "judgements": [3, null], "other_judgements": [2]}
{"query": "b", "passage": "x", "logits": 0.25, "judgements": null}
{"query": "c", "texts": [], "logits": [], "other_judgements": [1]}

{"query": "a", "passage": "z", "logits": [4], "judgements": 0, "other_judgements": [1, 1]}
`), "some.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	want := []judgedQuery{
		{pairs: []engine.Pair{{Query: "a", Passage: "x"}, {Query: "a", Passage: "y"}, {Query: "a", Passage: "z"}}, judged: true,
			JudgedQuery: recording.JudgedQuery{Logits: []float64{1.5, -2, 4}, Grades: []int{3, 0, 0}, Unlisted: []int{2, 1, 1}}},
		{pairs: []engine.Pair{{Query: "b", Passage: "x"}}, JudgedQuery: recording.JudgedQuery{Logits: []float64{0.25}}},
	}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("%+v, want %+v", list, want)
	}
	for text, want := range map[string]string{
		``: "no pairs", `{"query": "a", "texts": [], "logits": []}`: "no pairs",
		`{"query": "a", "passage": "x"}`:                                             `0 "logits" of 1 passages`,
		`{"query": "a", "texts": ["x", "y"], "logits": 2}`:                           `1 "logits" of 2 passages`,
		`{"query": "a", "passage": "x", "logits": 2, "judgements": [1, 2]}`:          `2 "judgements" of 1 passages`,
		`{"query": "a", "passage": "x", "logits": 2, "judgements": 0.5}`:             "0.5",
		`{"query": "a", "passage": "x", "logits": "2"}`:                              "string is among them",
		`{"query": "a", "passage": "x", "logits": 1e999}`:                            "1e999",
		`{"query": "a", "texts": ["x", "y"], "logits": [1, null]}`:                   `null in "logits"`,
		`{"query": "a", "passage": "x", "logits": -1e308}`:                           `-1e+308 in "logits", want 0 or a size from 1e-100 to 1e+100`,
		`{"query": "a", "passage": "x", "logits": 1e-320}`:                           `in "logits", want 0 or`,
		`{"input_ids": [1, 2], "logits": 1}`:                                         "tokens, want texts",
		`{"query": "a", "passage": "x", "logits": 1, "other_judgements": "none"}`:    `string is among them: want numbers as "logits"`,
		`{"query": "a", "passage": "x", "logits": 1, "other_judgements": [1, null]}`: `null in "other_judgements"`,
	} {
		if _, err := readJudged(strings.NewReader(text+"\n"), "some.jsonl"); !errors.Is(err, ErrDataset) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// judgedLab is a lab with four queries of n passages, whose logits are what a fake makes of
// them.
func judgedLab(t *testing.T, n int) *lab {
	l := newLab(t, 8)
	var text strings.Builder
	for _, query := range []string{"a", "b", "c", "d"} {
		passages, logits, grades := make([]string, n), make([]float32, n), make([]int, n)
		for i := range n {
			passages[i], grades[i] = fmt.Sprint("x", i), i%2
			logits[i] = fakeScore(engine.Pair{Query: query, Passage: passages[i]})
		}
		line := map[string]any{"query": query, "documents": passages, "judgements": grades, "logits": logits}
		data, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(data, '\n'))
	}
	l.options.Judged = filepath.Join(t.TempDir(), "judged.jsonl")
	if err := os.WriteFile(l.options.Judged, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestMeasureJudged(t *testing.T) {
	l := judgedLab(t, 2)
	l.options.Precisions = []string{"f32", "int8"}
	l.measured.service = func([]engine.Pair) time.Duration { return time.Millisecond }
	synctest.Test(t, func(t *testing.T) {
		rec, err := l.run(t.Context())
		if err != nil || rec.Validate() != nil {
			t.Fatal(err, rec.Validate())
		}
		f := report.Derive(rec).Judged
		if f == nil || len(f.Precisions) != 2 || f.Name != "judged.jsonl" || len(f.SHA256) != 64 {
			t.Fatalf("%+v", f)
		}
		for _, p := range f.Precisions { // of one fake, whose precision stays f32
			if p.Pairs != 8 || p.Precision != "f32" || *p.MaxError > 1e-6 || p.Swapped != 0 || *p.NDCG != *p.ExactNDCG {
				t.Errorf("%+v", p)
			}
		}
	})
}

// Scores that fail the gate are compared with the judged pairs' logits too.
func TestMeasureJudgedOfWrongScores(t *testing.T) {
	l := judgedLab(t, 2)
	l.measured.shift = 5
	synctest.Test(t, func(t *testing.T) {
		rec, err := l.run(t.Context())
		if !errors.Is(err, ErrInaccurate) || len(rec.Runs) != 0 {
			t.Fatalf("%v: %d runs", err, len(rec.Runs))
		}
		if f := report.Derive(rec).Judged; len(f.Precisions) != 1 || !(*f.Precisions[0].Offset > 0.5) || *f.Precisions[0].ErrorSD > 1e-6 {
			t.Errorf("%+v", f)
		}
	})
}

func TestMeasureJudgedWithoutTime(t *testing.T) {
	l := judgedLab(t, judgedStep)
	l.options.TimeBound = 100 * time.Second
	l.measured.service = func(pairs []engine.Pair) time.Duration {
		return time.Duration(len(pairs)) * 20 * time.Second / judgedStep
	}
	synctest.Test(t, func(t *testing.T) {
		rec, err := l.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// 30 s are two queries of 20 s each, the second begun in time.
		if n := len(rec.Judged.Scores[0].Scores); n != 2 || !noted(rec, "judged.jsonl, f32: its share of the time bound was over after 2 of 4 queries") {
			t.Errorf("%d queries, notes %q", n, rec.Notes)
		}
	})
}

func TestMeasureJudgedFailures(t *testing.T) {
	l := judgedLab(t, 2)
	l.options.Judged += ".not"
	if _, err := l.run(t.Context()); !errors.Is(err, os.ErrNotExist) || !errors.Is(err, ErrDataset) {
		t.Errorf("a file that is not there: %v", err)
	}
	l = judgedLab(t, 2)
	l.measured.fail = func(pairs []engine.Pair) error {
		if pairs[0].Passage == "x0" {
			return errors.New("broke")
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		if _, err := l.run(t.Context()); err == nil || !strings.Contains(err.Error(), "judged.jsonl: broke") {
			t.Errorf("an engine that fails: %v", err)
		}
	})
}
